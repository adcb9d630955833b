#include "arrow_import.h"

#include <arrow/c/abi.h>

#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "bits.h"

namespace penstock::python {
namespace {

using Format = std::string_view;

int64_t NumberAfterColon(Format format) {
  const size_t colon = format.rfind(format.starts_with("d:") ? ',' : ':');
  int64_t number = 0;
  std::from_chars(format.data() + colon + 1, format.data() + format.size(), number);
  return number;
}

// Bytes of one value of a fixed-width type; 0 when the type has none.
int64_t FixedWidth(Format format) {
  switch (format.front()) {
    case 'c':
    case 'C':
      return 1;
    case 's':
    case 'S':
    case 'e':
      return 2;
    case 'i':
    case 'I':
    case 'f':
      return 4;
    case 'l':
    case 'L':
    case 'g':
      return 8;
    case 'w':
      return NumberAfterColon(format);
    case 'd': {
      const bool has_bits = format.find(',') != format.rfind(',');
      return has_bits ? NumberAfterColon(format) / 8 : 16;
    }
    case 't':
      if (format == "tdD" || format == "tts" || format == "ttm" || format == "tiM") return 4;
      return format == "tin" ? 16 : 8;
    default:
      return 0;
  }
}

constexpr std::array<std::pair<Format, ColumnKind>, 21> kKinds = {
    {{"n", ColumnKind::kNull},
     {"b", ColumnKind::kBool},
     {"c", ColumnKind::kInt8},
     {"s", ColumnKind::kInt16},
     {"i", ColumnKind::kInt32},
     {"l", ColumnKind::kInt64},
     {"C", ColumnKind::kUInt8},
     {"S", ColumnKind::kUInt16},
     {"I", ColumnKind::kUInt32},
     {"L", ColumnKind::kUInt64},
     {"e", ColumnKind::kFloat16},
     {"f", ColumnKind::kFloat32},
     {"g", ColumnKind::kFloat64},
     {"u", ColumnKind::kUtf8},
     {"z", ColumnKind::kBinary},
     {"U", ColumnKind::kLargeUtf8},
     {"Z", ColumnKind::kLargeBinary},
     {"tss:", ColumnKind::kTimestampSecond},
     {"tsm:", ColumnKind::kTimestampMilli},
     {"tsu:", ColumnKind::kTimestampMicro},
     {"tsn:", ColumnKind::kTimestampNano}}};

ColumnKind PlainKind(Format format) {
  for (const auto& [name, kind] : kKinds) {
    if (name == format) return kind;
  }
  return ColumnKind::kOther;
}

// Reads one value of the C interface's metadata: int32 count, then length-prefixed pairs.
std::string_view MetadataValue(const char* metadata, std::string_view wanted) {
  if (metadata == nullptr) return {};
  const auto read = [&] {
    int32_t length = 0;
    std::memcpy(&length, metadata, sizeof length);
    metadata += sizeof length;
    return length;
  };
  for (int32_t pairs = read(); pairs > 0; --pairs) {
    const auto key_bytes = static_cast<size_t>(read());
    const std::string_view key(metadata, key_bytes);
    metadata += key_bytes;
    const auto value_bytes = static_cast<size_t>(read());
    const std::string_view value(metadata, value_bytes);
    metadata += value_bytes;
    if (key == wanted) return value;
  }
  return {};
}

// The shape in the tensor type's metadata, {"shape":[2,3]}; empty when it says more than that.
std::vector<int64_t> TensorShape(const ArrowSchema& schema) {
  if (MetadataValue(schema.metadata, "ARROW:extension:name") != "arrow.fixed_shape_tensor") {
    return {};
  }
  const std::string_view text = MetadataValue(schema.metadata, "ARROW:extension:metadata");
  if (text.find("permutation") != text.npos || text.find("dim_names") != text.npos) return {};
  std::vector<int64_t> shape;
  size_t place = text.find('[');
  while (place != text.npos && text[place] != ']') {
    int64_t extent = 0;
    const auto end = std::from_chars(text.data() + place + 1, text.data() + text.size(), extent);
    if (end.ec != std::errc()) return {};
    shape.push_back(extent);
    place = text.find_first_of(",]", place + 1);
  }
  return shape;
}

class Importer {
 public:
  explicit Importer(ArrowColumn& column) : column_(column) {}

  // Adds rows [offset, offset + length) of the array, counted from the array's own offset.
  void Import(const ArrowSchema& schema, const ArrowArray& array, int64_t offset, int64_t length) {
    const Format format = schema.format;
    const int64_t start = array.offset + offset;
    if (format == "n") {
      AddNode(length, length);
      AddAbsent();
      return;
    }
    if (format.starts_with("+u")) return ImportUnion(schema, array, start, length);
    if (format.starts_with('v') || format.starts_with("+v") || format == "+r") {
      throw std::invalid_argument("view and run-end encoded types are not supported");
    }
    AddValidity(array, start, length);
    if (schema.dictionary != nullptr) {
      AddData(array, start, length, FixedWidth(format));
      Import(*schema.dictionary, *array.dictionary, 0, array.dictionary->length);
    } else if (format == "b") {
      AddBits(static_cast<const uint8_t*>(array.buffers[1]), start, length);
    } else if (format == "u" || format == "z") {
      ImportBytes<int32_t>(array, start, length);
    } else if (format == "U" || format == "Z") {
      ImportBytes<int64_t>(array, start, length);
    } else if (format == "+l" || format == "+m") {
      ImportList<int32_t>(schema, array, start, length);
    } else if (format == "+L") {
      ImportList<int64_t>(schema, array, start, length);
    } else if (format == "+s" || format.starts_with("+w:")) {
      const int64_t per_row = format == "+s" ? 1 : NumberAfterColon(format);
      ImportChildren(schema, array, start * per_row, length * per_row);
    } else {
      AddData(array, start, length, FixedWidth(format));
    }
  }

 private:
  void AddNode(int64_t length, int64_t null_count) {
    column_.nodes.push_back({length, null_count});
  }

  void AddAbsent() { column_.buffers.push_back({.absent = true}); }

  void AddOwned(std::string bytes) {
    const std::string& kept = column_.owned.emplace_back(std::move(bytes));
    column_.buffers.push_back(
        {reinterpret_cast<const uint8_t*>(kept.data()), static_cast<int64_t>(kept.size())});
  }

  void AddBits(const uint8_t* bits, int64_t start, int64_t length) {
    if (start % 8 == 0) {
      column_.buffers.push_back({bits + start / 8, BitmapBytes(length)});
    } else {
      AddOwned(CopyBits(bits, start, length));
    }
  }

  void AddValidity(const ArrowArray& array, int64_t start, int64_t length) {
    const auto* bits = static_cast<const uint8_t*>(array.buffers[0]);
    const int64_t nulls =
        bits == nullptr || array.null_count == 0 ? 0 : CountUnset(bits, start, length);
    AddNode(length, nulls);
    if (nulls == 0) {
      AddAbsent();
    } else {
      AddBits(bits, start, length);
    }
  }

  void AddData(const ArrowArray& array, int64_t start, int64_t length, int64_t width) {
    const auto* data = static_cast<const uint8_t*>(array.buffers[1]);
    column_.buffers.push_back({length == 0 ? nullptr : data + start * width, length * width});
  }

  // Adds offsets that begin at 0; returns the range of the values that they speak of.
  template <typename Offset>
  std::pair<int64_t, int64_t> AddOffsets(const ArrowArray& array, int64_t start, int64_t length) {
    const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
    if (length == 0 || offsets == nullptr) {
      AddOwned(std::string(sizeof(Offset), '\0'));
      return {0, 0};
    }
    offsets += start;
    const Offset first = offsets[0];
    const auto bytes = (length + 1) * static_cast<int64_t>(sizeof(Offset));
    if (first == 0) {
      column_.buffers.push_back({reinterpret_cast<const uint8_t*>(offsets), bytes});
    } else {
      std::string moved(static_cast<size_t>(bytes), '\0');
      auto* out = reinterpret_cast<Offset*>(moved.data());
      for (int64_t i = 0; i <= length; ++i) out[i] = offsets[i] - first;
      AddOwned(std::move(moved));
    }
    return {first, offsets[length] - first};
  }

  template <typename Offset>
  void ImportBytes(const ArrowArray& array, int64_t start, int64_t length) {
    const auto [first, bytes] = AddOffsets<Offset>(array, start, length);
    const auto* data = static_cast<const uint8_t*>(array.buffers[2]);
    column_.buffers.push_back({bytes == 0 ? nullptr : data + first, bytes});
  }

  template <typename Offset>
  void ImportList(const ArrowSchema& schema, const ArrowArray& array, int64_t start,
                  int64_t length) {
    const auto [first, values] = AddOffsets<Offset>(array, start, length);
    ImportChildren(schema, array, first, values);
  }

  void ImportChildren(const ArrowSchema& schema, const ArrowArray& array, int64_t offset,
                      int64_t length) {
    for (int64_t i = 0; i < schema.n_children; ++i) {
      Import(*schema.children[i], *array.children[i], offset, length);
    }
  }

  void ImportUnion(const ArrowSchema& schema, const ArrowArray& array, int64_t start,
                   int64_t length) {
    AddNode(length, 0);
    AddAbsent();
    const auto* types = static_cast<const uint8_t*>(array.buffers[0]);
    column_.buffers.push_back({types + start, length});
    if (Format(schema.format).starts_with("+us")) {
      ImportChildren(schema, array, start, length);
      return;
    }
    const auto* offsets = static_cast<const uint8_t*>(array.buffers[1]);
    column_.buffers.push_back({offsets + start * 4, length * 4});
    for (int64_t i = 0; i < schema.n_children; ++i) {
      Import(*schema.children[i], *array.children[i], 0, array.children[i]->length);
    }
  }

  ArrowColumn& column_;
};

bool HasNulls(const std::vector<NodeEntry>& nodes, size_t index) {
  return index < nodes.size() && nodes[index].null_count > 0;
}

}  // namespace

ArrowColumn ImportArrow(nb::handle schema_capsule, nb::handle array_capsule) {
  const auto* schema =
      static_cast<const ArrowSchema*>(PyCapsule_GetPointer(schema_capsule.ptr(), "arrow_schema"));
  if (schema == nullptr) throw nb::python_error();
  const auto* array =
      static_cast<const ArrowArray*>(PyCapsule_GetPointer(array_capsule.ptr(), "arrow_array"));
  if (array == nullptr) throw nb::python_error();
  ArrowColumn column;
  column.rows = array->length;
  column.array_capsule = nb::borrow(array_capsule);
  Importer(column).Import(*schema, *array, 0, array->length);
  const bool extension = !MetadataValue(schema->metadata, "ARROW:extension:name").empty();
  if (schema->dictionary == nullptr && !extension) column.kind = PlainKind(schema->format);
  const std::vector<int64_t> shape = TensorShape(*schema);
  if (!shape.empty()) {
    const ColumnKind values = PlainKind(schema->children[0]->format);
    const bool fixed = values == ColumnKind::kBool || FixedWidth(schema->children[0]->format) > 0;
    if (values != ColumnKind::kOther && fixed && !HasNulls(column.nodes, 1)) {
      column.kind = values;
      column.shape = shape;
    }
  }
  return column;
}

}  // namespace penstock::python
