#include "arrow_schema.h"

#include <arrow/c/abi.h>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace penstock::python {
namespace {

// By ColumnKind.
constexpr std::array<const char*, 22> kFormats = {"",  "b", "c",    "s",    "i",    "l",   "C", "S",
                                                  "I", "L", "e",    "f",    "g",    "u",   "z", "U",
                                                  "Z", "n", "tss:", "tsm:", "tsu:", "tsn:"};

// What one schema owns.
struct Owned {
  std::string format;
  std::string name;
  std::string metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> child_pointers;
  std::unique_ptr<ArrowSchema> dictionary;
};

void ReleaseSchema(ArrowSchema* schema) {
  auto* owned = static_cast<Owned*>(schema->private_data);
  for (ArrowSchema* child : owned->child_pointers) {
    if (child->release != nullptr) child->release(child);
  }
  if (owned->dictionary != nullptr && owned->dictionary->release != nullptr) {
    owned->dictionary->release(owned->dictionary.get());
  }
  delete owned;
  schema->release = nullptr;
}

// Hands `owned`, whose children are filled, to a schema.
ArrowSchema Finish(std::unique_ptr<Owned> owned, int64_t flags) {
  for (ArrowSchema& child : owned->children) owned->child_pointers.push_back(&child);
  ArrowSchema schema = {};
  schema.format = owned->format.c_str();
  schema.name = owned->name.c_str();
  schema.metadata = owned->metadata.empty() ? nullptr : owned->metadata.data();
  schema.flags = flags;
  schema.n_children = static_cast<int64_t>(owned->children.size());
  schema.children = owned->child_pointers.data();
  schema.dictionary = owned->dictionary.get();
  schema.release = ReleaseSchema;
  schema.private_data = owned.release();
  return schema;
}

ArrowSchema Field(std::string format, std::string name) {
  auto owned = std::make_unique<Owned>();
  owned->format = std::move(format);
  owned->name = std::move(name);
  return Finish(std::move(owned), ARROW_FLAG_NULLABLE);
}

void AppendText(std::string_view text, std::string* metadata) {
  const auto length = static_cast<int32_t>(text.size());
  metadata->append(reinterpret_cast<const char*>(&length), sizeof length);
  metadata->append(text);
}

// The metadata of Arrow's fixed_shape_tensor.
std::string TensorMetadata(const std::vector<int64_t>& shape) {
  std::string shape_text = "{\"shape\":[";
  for (const int64_t extent : shape) {
    if (shape_text.back() != '[') shape_text += ',';
    shape_text += std::to_string(extent);
  }
  shape_text += "]}";
  const int32_t pairs = 2;
  std::string metadata(reinterpret_cast<const char*>(&pairs), sizeof pairs);
  AppendText("ARROW:extension:name", &metadata);
  AppendText("arrow.fixed_shape_tensor", &metadata);
  AppendText("ARROW:extension:metadata", &metadata);
  AppendText(shape_text, &metadata);
  return metadata;
}

ArrowSchema TensorField(const ColumnView& column) {
  int64_t values = 1;
  for (const int64_t extent : column.shape) values *= extent;
  auto owned = std::make_unique<Owned>();
  owned->format = "+w:";
  owned->format += std::to_string(values);
  owned->name = std::string(column.name);
  owned->metadata = TensorMetadata(column.shape);
  owned->children.push_back(Field(kFormats.at(static_cast<size_t>(column.kind)), "item"));
  return Finish(std::move(owned), ARROW_FLAG_NULLABLE);
}

// The bytes of the C interface's metadata: int32 count, then length-prefixed pairs.
std::string MetadataOf(const char* metadata) {
  if (metadata == nullptr) return {};
  const char* place = metadata;
  const auto read = [&place] {
    int32_t number = 0;
    std::memcpy(&number, place, sizeof number);
    place += sizeof number;
    return number;
  };
  for (int32_t texts = 2 * read(); texts > 0; --texts) place += read();
  return {metadata, place};
}

ArrowSchema CopyOf(const ArrowSchema& schema) {
  auto owned = std::make_unique<Owned>();
  owned->format = schema.format;
  owned->name = schema.name == nullptr ? "" : schema.name;
  owned->metadata = MetadataOf(schema.metadata);
  for (int64_t i = 0; i < schema.n_children; ++i) {
    owned->children.push_back(CopyOf(*schema.children[i]));
  }
  if (schema.dictionary != nullptr) {
    owned->dictionary = std::make_unique<ArrowSchema>(CopyOf(*schema.dictionary));
  }
  return Finish(std::move(owned), schema.flags);
}

struct OneArray {
  ArrowSchema schema;
  ArrowArray array;  // Its release is null once it is given away.
};

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  *out = CopyOf(static_cast<OneArray*>(stream->private_data)->schema);
  return 0;
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  auto* one = static_cast<OneArray*>(stream->private_data);
  *out = one->array;  // Released: the end.
  one->array.release = nullptr;
  return 0;
}

const char* GetLastError(ArrowArrayStream* /*stream*/) { return nullptr; }

void ReleaseStream(ArrowArrayStream* stream) {
  auto* one = static_cast<OneArray*>(stream->private_data);
  one->schema.release(&one->schema);
  if (one->array.release != nullptr) one->array.release(&one->array);
  delete one;
  stream->release = nullptr;
}

// Returns a capsule that owns `value` and releases it if nobody has taken it.
template <typename Value>
nb::object Capsule(Value value, const char* name, PyCapsule_Destructor destructor) {
  auto owned = std::make_unique<Value>(value);
  PyObject* capsule = PyCapsule_New(owned.get(), name, destructor);
  if (capsule == nullptr) {
    owned->release(owned.get());
    throw nb::python_error();
  }
  owned.release();
  return nb::steal(capsule);
}

template <typename Value>
void Delete(PyObject* capsule) {
  auto* value = static_cast<Value*>(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)));
  if (value->release != nullptr) value->release(value);
  delete value;
}

}  // namespace

nb::object ExportSchema(std::span<const ColumnView> columns) {
  auto owned = std::make_unique<Owned>();
  owned->format = "+s";
  for (const ColumnView& column : columns) {
    if (column.kind == ColumnKind::kOther) {
      throw std::invalid_argument("a column that is not plain has a schema of its own");
    }
  }
  for (const ColumnView& column : columns) {
    const char* format = kFormats.at(static_cast<size_t>(column.kind));
    owned->children.push_back(column.shape.empty() ? Field(format, std::string(column.name))
                                                   : TensorField(column));
  }
  return Capsule(Finish(std::move(owned), 0), "arrow_schema", Delete<ArrowSchema>);
}

nb::object ExportStream(nb::handle schema_capsule, nb::handle array_capsule) {
  const auto* schema =
      static_cast<const ArrowSchema*>(PyCapsule_GetPointer(schema_capsule.ptr(), "arrow_schema"));
  if (schema == nullptr) throw nb::python_error();
  auto* array = static_cast<ArrowArray*>(PyCapsule_GetPointer(array_capsule.ptr(), "arrow_array"));
  if (array == nullptr) throw nb::python_error();
  ArrowArrayStream stream = {};
  stream.get_schema = GetSchema;
  stream.get_next = GetNext;
  stream.get_last_error = GetLastError;
  stream.release = ReleaseStream;
  stream.private_data = new OneArray{CopyOf(*schema), *array};
  array->release = nullptr;  // It has moved.
  return Capsule(stream, "arrow_array_stream", Delete<ArrowArrayStream>);
}

}  // namespace penstock::python
