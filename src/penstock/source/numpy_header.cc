#include "penstock/source/numpy_header.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

namespace penstock {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kHeaderBytesMax = 64 << 10;
constexpr size_t kDimensionsMax = 32;
constexpr int64_t kTextWidthMax = int64_t{1} << 30;

/// Reads the Python literal that the header is: a dict of texts, booleans and tuples of numbers.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  bool Take(std::string_view wanted) {
    SkipSpace();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(wanted.size());
    return true;
  }

  std::optional<std::string_view> TakeText() {
    SkipSpace();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return inside;
  }

  std::optional<int64_t> TakeNumber() {
    SkipSpace();
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return number;
  }

  bool AtEnd() {
    SkipSpace();
    return text_.empty();
  }

 private:
  void SkipSpace() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) {
      text_.remove_prefix(1);
    }
  }

  std::string_view text_;
};

std::shared_ptr<arrow::DataType> NumberType(std::string_view kind) {
  struct Known {
    std::string_view kind;
    std::shared_ptr<arrow::DataType> type;
  };
  static const Known known[] = {
      {"b1", arrow::boolean()}, {"i1", arrow::int8()},    {"i2", arrow::int16()},
      {"i4", arrow::int32()},   {"i8", arrow::int64()},   {"u1", arrow::uint8()},
      {"u2", arrow::uint16()},  {"u4", arrow::uint32()},  {"u8", arrow::uint64()},
      {"f2", arrow::float16()}, {"f4", arrow::float32()}, {"f8", arrow::float64()}};
  for (const Known& one : known) {
    if (one.kind == kind) return one.type;
  }
  return nullptr;
}

/// A time's type, such as M8[ms]: false where it is none that a column has.
bool SetTimeType(std::string_view kind, NumpyHeader& header) {
  struct Unit {
    std::string_view name;
    arrow::TimeUnit::type unit;
    int64_t factor;
  };
  static constexpr Unit kUnits[] = {
      {"[ns]", arrow::TimeUnit::NANO, 1},       {"[us]", arrow::TimeUnit::MICRO, 1},
      {"[ms]", arrow::TimeUnit::MILLI, 1},      {"[s]", arrow::TimeUnit::SECOND, 1},
      {"[m]", arrow::TimeUnit::SECOND, 60},     {"[h]", arrow::TimeUnit::SECOND, 3'600},
      {"[D]", arrow::TimeUnit::SECOND, 86'400}, {"[W]", arrow::TimeUnit::SECOND, 604'800}};
  const bool moment = kind.starts_with("M8");
  if (!moment && !kind.starts_with("m8")) return false;
  for (const Unit& known : kUnits) {
    if (kind.substr(2) != known.name) continue;
    header.type = moment ? arrow::timestamp(known.unit) : arrow::duration(known.unit);
    header.value_bytes = sizeof(int64_t);
    header.unit_factor = known.factor;
    return true;
  }
  return false;
}

/// Text or bytes of one width, such as U5 or S3: false where it is neither.
bool SetTextType(std::string_view kind, NumpyHeader& header) {
  if (kind.empty() || (kind.front() != 'U' && kind.front() != 'S')) return false;
  int64_t width = 0;
  const char* const end = kind.data() + kind.size();
  const auto [stopped, error] = std::from_chars(kind.data() + 1, end, width);
  if (error != std::errc() || stopped != end || width < 1 || width > kTextWidthMax) return false;
  header.type = kind.front() == 'U' ? arrow::utf8() : arrow::binary();
  header.value_bytes = kind.front() == 'U' ? width * 4 : width;
  return true;
}

Status SetType(std::string_view descr, NumpyHeader& header) {
  if (descr == "|O" || descr == "O") {
    return Status::NotImplemented(
        "the array holds pickled Python objects, which are never loaded; save it with a type of "
        "numbers");
  }
  const bool has_order =
      !descr.empty() && std::string_view("<>|=").find(descr.front()) != std::string_view::npos;
  const std::string_view kind = descr.substr(has_order ? 1 : 0);
  header.type = NumberType(kind);
  if (header.type != nullptr) {
    header.value_bytes = kind[1] - '0';
  } else if (!SetTimeType(kind, header) && !SetTextType(kind, header)) {
    return Status::NotImplemented(
        fmt::format("the array's type is none of bool, int8 to int64, uint8 to uint64, float16 to "
                    "float64, text, bytes, and times in weeks to nanoseconds; save it with one of "
                    "them; dtype: {}",
                    descr));
  }
  header.dtype = std::string(descr);
  header.swapped = has_order && descr.front() == '>' && header.value_bytes > 1;
  return Status::OK();
}

bool TakeShape(LiteralReader& reader, std::vector<int64_t>& shape) {
  if (!reader.Take("(")) return false;
  while (!reader.Take(")")) {
    const auto number = reader.TakeNumber();
    if (!number || shape.size() == kDimensionsMax) return false;
    shape.push_back(*number);
    if (!reader.Take(",")) return reader.Take(")");
  }
  return true;
}

Status BrokenHeader(std::string_view text) {
  return Status::Invalid(fmt::format(
      "the header is not a description with descr, fortran_order and shape alone; got: {}",
      text.substr(0, 200)));
}

Status ParseDescription(std::string_view text, NumpyHeader& header) {
  LiteralReader reader(text);
  bool has_order = false;
  bool has_shape = false;
  if (!reader.Take("{")) return BrokenHeader(text);
  while (!reader.Take("}")) {
    const auto key = reader.TakeText();
    if (!key || !reader.Take(":")) return BrokenHeader(text);
    if (*key == "descr" && header.type == nullptr) {
      if (reader.Take("[")) {
        return Status::NotImplemented(
            "the array is structured; save each of its fields as an array");
      }
      const auto descr = reader.TakeText();
      if (!descr) return BrokenHeader(text);
      PENSTOCK_RETURN_NOT_OK(SetType(*descr, header));
    } else if (*key == "fortran_order" && !has_order) {
      has_order = true;
      header.fortran_order = reader.Take("True");
      if (!header.fortran_order && !reader.Take("False")) return BrokenHeader(text);
    } else if (*key == "shape" && !has_shape) {
      has_shape = TakeShape(reader, header.shape);
      if (!has_shape) return BrokenHeader(text);
    } else {
      return BrokenHeader(text);
    }
    if (reader.Take(",")) continue;
    if (!reader.Take("}")) return BrokenHeader(text);
    break;
  }
  if (header.type == nullptr || !has_order || !has_shape || !reader.AtEnd()) {
    return BrokenHeader(text);
  }
  return Status::OK();
}

Status CheckSize(int64_t data_bytes, NumpyHeader& header) {
  if (header.shape.empty()) {
    return Status::NotImplemented(
        "the array is a single value and so has no rows; give it a dimension; dtype: ",
        header.dtype);
  }
  bool fits = true;
  header.value_count = 1;
  for (const int64_t extent : header.shape) {
    fits = fits && !__builtin_mul_overflow(header.value_count, extent, &header.value_count);
  }
  int64_t wanted = 0;
  fits = fits && !__builtin_mul_overflow(header.value_count, header.value_bytes, &wanted);
  if (fits && wanted == data_bytes) {
    if (header.value_count > 0 || header.shape[0] == 0) return Status::OK();
    return Status::Invalid(
        fmt::format("the rows have a dimension of 0 and so no values; rows: {}", header.shape[0]));
  }
  return Status::Invalid(
      fmt::format("the header tells of {} bytes of values; got: {}",
                  fits ? std::to_string(wanted) : "more than can be addressed as", data_bytes));
}

}  // namespace

Result<NumpyHeader> ReadNumpyHeader(std::string_view file) {
  if (file.starts_with("PK\x03\x04")) {
    return Status::NotImplemented("this is an .npz archive; save its arrays as .npy files");
  }
  const size_t version_at = kMagic.size();
  if (!file.starts_with(kMagic) || file.size() < version_at + 4) {
    return Status::Invalid("the file does not begin as .npy files do");
  }
  const int version = static_cast<unsigned char>(file[version_at]);
  if (version < 1 || version > 3) {
    return Status::Invalid(fmt::format("the version of the format is not known; got: {}", version));
  }
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t text_at = version_at + 2 + length_bytes;
  if (file.size() < text_at) return Status::Invalid("the file ends in its header");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    length |= size_t{static_cast<unsigned char>(file[version_at + 2 + i])} << (8 * i);
  }
  if (length > kHeaderBytesMax || file.size() - text_at < length) {
    return Status::Invalid(fmt::format("the header is too long or cut off; its bytes: {}", length));
  }
  NumpyHeader header{.data_begin = static_cast<int64_t>(text_at + length)};
  PENSTOCK_RETURN_NOT_OK(ParseDescription(file.substr(text_at, length), header));
  PENSTOCK_RETURN_NOT_OK(CheckSize(static_cast<int64_t>(file.size()) - header.data_begin, header));
  return header;
}

}  // namespace penstock
