#include "penstock/plan/type_text.h"

#include <charconv>
#include <map>
#include <optional>
#include <string>

namespace penstock {
namespace {

using TypePointer = std::shared_ptr<arrow::DataType>;

constexpr int kDepthMax = 64;

std::map<std::string, TypePointer, std::less<>> MakePlainTypes() {
  std::map<std::string, TypePointer, std::less<>> types = {
      {"boolean", arrow::boolean()}, {"float16", arrow::float16()},
      {"float32", arrow::float32()}, {"float64", arrow::float64()},
      {"utf8", arrow::utf8()},       {"large_utf8", arrow::large_utf8()},
      {"date32", arrow::date32()},   {"date64", arrow::date64()},
  };
  for (const TypePointer& type :
       {arrow::null(), arrow::boolean(), arrow::int8(), arrow::int16(), arrow::int32(),
        arrow::int64(), arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64(),
        arrow::float16(), arrow::float32(), arrow::float64(), arrow::utf8(), arrow::large_utf8(),
        arrow::binary(), arrow::large_binary()}) {
    types.emplace(type->ToString(), type);
  }
  return types;
}

std::optional<arrow::TimeUnit::type> UnitNamed(std::string_view name) {
  if (name == "s") return arrow::TimeUnit::SECOND;
  if (name == "ms") return arrow::TimeUnit::MILLI;
  if (name == "us") return arrow::TimeUnit::MICRO;
  if (name == "ns") return arrow::TimeUnit::NANO;
  return std::nullopt;
}

/// Reads from left to right. A null type says that the text is none.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : left_(text) {}

  TypePointer ReadAll() {
    TypePointer type = Read(0);
    return left_.empty() ? type : nullptr;
  }

 private:
  bool Take(std::string_view wanted) {
    if (!left_.starts_with(wanted)) return false;
    left_.remove_prefix(wanted.size());
    return true;
  }

  /// Takes what stands before the first of the ends.
  std::string_view TakeUntil(std::string_view ends) {
    const std::string_view taken = left_.substr(0, left_.find_first_of(ends));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::optional<int32_t> TakeNumber() {
    int32_t number = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), number);
    if (error != std::errc()) return std::nullopt;
    left_.remove_prefix(static_cast<size_t>(end - left_.data()));
    return number;
  }

  TypePointer Read(int depth) {
    static const auto plain_types = MakePlainTypes();
    if (depth > kDepthMax) return nullptr;
    const std::string_view name = TakeUntil("[]()<>,: ");
    if (left_.starts_with('[')) return ReadBracketed(name);
    if (left_.starts_with('(')) return ReadDecimal(name);
    if (left_.starts_with('<')) return ReadNested(name, depth + 1);
    const auto found = plain_types.find(name);
    return found == plain_types.end() ? nullptr : found->second;
  }

  TypePointer ReadBracketed(std::string_view name) {
    Take("[");
    const std::string_view inner = TakeUntil("],");
    std::string_view zone;
    if (Take(", tz=")) zone = TakeUntil("]");
    if (!Take("]")) return nullptr;
    if (name == "date32" && inner == "day") return arrow::date32();
    if (name == "date64" && inner == "ms") return arrow::date64();
    if (name == "fixed_size_binary") return FixedSizeBinary(inner);
    const auto unit = UnitNamed(inner);
    if (!unit) return nullptr;
    const bool coarse = *unit == arrow::TimeUnit::SECOND || *unit == arrow::TimeUnit::MILLI;
    if (name == "timestamp") return arrow::timestamp(*unit, std::string(zone));
    if (name == "duration") return arrow::duration(*unit);
    if (name == "time32" && coarse) return arrow::time32(*unit);
    if (name == "time64" && !coarse) return arrow::time64(*unit);
    return nullptr;
  }

  static TypePointer FixedSizeBinary(std::string_view size) {
    const auto bytes = TypeReader(size).TakeNumber();
    return bytes && *bytes >= 0 ? arrow::fixed_size_binary(*bytes) : nullptr;
  }

  TypePointer ReadDecimal(std::string_view name) {
    Take("(");
    const auto precision = TakeNumber();
    const auto scale = Take(", ") ? TakeNumber() : std::nullopt;
    if (!precision || !scale || !Take(")")) return nullptr;
    if (name == "decimal128") return arrow::Decimal128Type::Make(*precision, *scale).ValueOr({});
    if (name == "decimal256") return arrow::Decimal256Type::Make(*precision, *scale).ValueOr({});
    return nullptr;
  }

  std::shared_ptr<arrow::Field> ReadField(int depth) {
    const auto colon = left_.find(": ");
    if (colon == std::string_view::npos) return nullptr;
    std::string name(left_.substr(0, colon));
    left_.remove_prefix(colon + 2);
    TypePointer type = Read(depth);
    if (type == nullptr) return nullptr;
    return arrow::field(std::move(name), std::move(type), !Take(" not null"));
  }

  TypePointer ReadNested(std::string_view name, int depth) {
    Take("<");
    if (name == "struct") return ReadStruct(depth);
    if (name == "map") return ReadMap(depth);
    if (name == "dictionary") return ReadDictionary(depth);
    const auto item = ReadField(depth);
    if (item == nullptr || !Take(">")) return nullptr;
    if (name == "list") return arrow::list(item);
    if (name == "large_list") return arrow::large_list(item);
    if (name != "fixed_size_list" || !Take("[")) return nullptr;
    const auto size = TakeNumber();
    return size && *size >= 0 && Take("]") ? arrow::fixed_size_list(item, *size) : nullptr;
  }

  TypePointer ReadStruct(int depth) {
    arrow::FieldVector fields;
    while (!Take(">")) {
      if (!fields.empty() && !Take(", ")) return nullptr;
      fields.push_back(ReadField(depth));
      if (fields.back() == nullptr) return nullptr;
    }
    return arrow::struct_(std::move(fields));
  }

  TypePointer ReadMap(int depth) {
    TypePointer key = Read(depth);
    if (key == nullptr || !Take(", ")) return nullptr;
    TypePointer item = Read(depth);
    if (item == nullptr || !Take(">")) return nullptr;
    return arrow::map(std::move(key), std::move(item));
  }

  TypePointer ReadDictionary(int depth) {
    if (!Take("values=")) return nullptr;
    const TypePointer values = Read(depth);
    if (values == nullptr || !Take(", indices=")) return nullptr;
    const TypePointer indices = Read(depth);
    if (indices == nullptr || !Take(", ordered=")) return nullptr;
    const bool ordered = Take("1");
    if (!ordered && !Take("0")) return nullptr;
    if (!Take(">")) return nullptr;
    return arrow::DictionaryType::Make(indices, values, ordered).ValueOr({});
  }

  std::string_view left_;
};

}  // namespace

Result<std::shared_ptr<arrow::DataType>> TypeFromText(std::string_view text) {
  TypePointer type = TypeReader(text).ReadAll();
  if (type != nullptr) return type;
  return Status::Invalid(
      "A type must be written as Arrow writes it, such as int64, string or timestamp[us]; got: '",
      text, "'");
}

}  // namespace penstock
