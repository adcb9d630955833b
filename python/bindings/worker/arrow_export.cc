#include "arrow_export.h"

#include <arrow/c/abi.h>

#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace penstock::python {
namespace {

// What one exported array owns.
struct Exported {
  std::vector<const void*> buffers;
  std::vector<ArrowArray> child_storage;
  std::vector<ArrowArray*> children;
  ArrowArray dictionary_storage{};
  PyObject* owner = nullptr;
};

void ReleaseArray(ArrowArray* array) {
  auto* exported = static_cast<Exported*>(array->private_data);
  for (ArrowArray* child : exported->children) {
    if (child->release != nullptr) child->release(child);
  }
  if (array->dictionary != nullptr && array->dictionary->release != nullptr) {
    array->dictionary->release(array->dictionary);
  }
  if (Py_IsInitialized() != 0) {
    const PyGILState_STATE state = PyGILState_Ensure();
    Py_DECREF(exported->owner);
    PyGILState_Release(state);
  }
  delete exported;
  array->release = nullptr;
}

// How many buffers the layout writes for a type, and how many of them the C interface leaves out
// at the front.
struct BufferCount {
  uint32_t written;
  uint32_t left_out;
};

BufferCount BuffersOf(std::string_view format) {
  if (format == "n" || format == "+r") return {1, 1};
  if (format.starts_with("+us")) return {2, 1};
  if (format.starts_with("+ud")) return {3, 1};
  if (format == "+s" || format.starts_with("+w")) return {1, 0};
  if (format == "+l" || format == "+L" || format == "+m") return {2, 0};
  if (format == "+vl" || format == "+vL") return {3, 0};
  if (format == "u" || format == "U" || format == "z" || format == "Z") return {3, 0};
  if (format.starts_with("v")) throw std::invalid_argument("view types are not supported");
  return {2, 0};
}

// Walks the schema depth first, taking nodes and buffers in the layout's order.
class Exporter {
 public:
  explicit Exporter(const PackedParts& parts) : parts_(parts) {}

  void Export(const ArrowSchema& schema, ArrowArray* out) {
    if (next_node_ >= parts_.nodes.size()) throw std::invalid_argument("a batch lacks nodes");
    const NodeEntry node = parts_.nodes[next_node_++];
    const BufferCount count = BuffersOf(schema.format);
    if (next_buffer_ + count.written > parts_.buffers.size()) {
      throw std::invalid_argument("a batch lacks buffers");
    }
    auto exported = std::make_unique<Exported>();
    for (uint32_t i = count.left_out; i < count.written; ++i) {
      const BufferEntry& buffer = parts_.buffers[next_buffer_ + i];
      exported->buffers.push_back(buffer.offset == kAbsentBuffer ? nullptr
                                                                 : parts_.base + buffer.offset);
    }
    next_buffer_ += count.written;
    Fill(schema, node, std::move(exported), out);
  }

  void ExportRoot(const ArrowSchema& schema, ArrowArray* out) {
    auto exported = std::make_unique<Exported>();
    exported->buffers.push_back(nullptr);
    Fill(schema, {parts_.rows, 0}, std::move(exported), out);
    for (int64_t i = 0; i < out->n_children; ++i) Cut(out->children[i]);
  }

 private:
  // What lies below a column is cut with it.
  void Cut(ArrowArray* column) {
    if (parts_.first_row == 0 && parts_.rows == column->length) return;
    column->offset = parts_.first_row;
    column->length = parts_.rows;
    if (column->null_count > 0) column->null_count = -1;  // Nobody has counted.
  }

  void Fill(const ArrowSchema& schema, const NodeEntry& node, std::unique_ptr<Exported> exported,
            ArrowArray* out) {
    *out = {};
    out->length = node.length;
    out->null_count = node.null_count;
    out->n_buffers = static_cast<int64_t>(exported->buffers.size());
    out->buffers = exported->buffers.data();
    exported->child_storage.resize(static_cast<size_t>(schema.n_children));
    exported->owner = Py_NewRef(parts_.owner.ptr());
    out->private_data = exported.get();
    out->release = ReleaseArray;
    Exported* owned = exported.release();  // `out` owns it from here on, also when a child throws.
    for (int64_t i = 0; i < schema.n_children; ++i) {
      ArrowArray* child = &owned->child_storage[static_cast<size_t>(i)];
      owned->children.push_back(child);
      Export(*schema.children[i], child);
    }
    out->n_children = schema.n_children;
    out->children = owned->children.data();
    if (schema.dictionary != nullptr) {
      out->dictionary = &owned->dictionary_storage;
      Export(*schema.dictionary, out->dictionary);
    }
  }

  const PackedParts& parts_;
  size_t next_node_ = 0;
  size_t next_buffer_ = 0;
};

void DeleteCapsule(PyObject* capsule) {
  auto* array = static_cast<ArrowArray*>(PyCapsule_GetPointer(capsule, "arrow_array"));
  if (array->release != nullptr) array->release(array);
  delete array;
}

}  // namespace

nb::object ExportArrow(const PackedParts& parts, nb::handle schema_capsule) {
  const auto* schema =
      static_cast<const ArrowSchema*>(PyCapsule_GetPointer(schema_capsule.ptr(), "arrow_schema"));
  if (schema == nullptr) throw nb::python_error();
  auto array = std::make_unique<ArrowArray>();
  *array = {};
  try {
    Exporter(parts).ExportRoot(*schema, array.get());
  } catch (...) {
    if (array->release != nullptr) array->release(array.get());
    throw;
  }
  PyObject* capsule = PyCapsule_New(array.get(), "arrow_array", DeleteCapsule);
  if (capsule == nullptr) throw nb::python_error();
  array.release();
  return nb::steal(capsule);
}

}  // namespace penstock::python
