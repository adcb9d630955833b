#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>

#include <utility>

#include "core/batches.h"
#include "core/errors.h"

namespace penstock::python {
namespace {

template <typename T>
void ReleaseCapsule(PyObject* capsule) {
  const char* const name = PyCapsule_GetName(capsule);
  auto* const content = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (content->release != nullptr) content->release(content);
  delete content;
}

template <typename T>
nb::object MakeCapsule(std::unique_ptr<T> content, const char* name) {
  PyObject* const capsule = PyCapsule_New(content.release(), name, ReleaseCapsule<T>);
  if (capsule == nullptr) throw nb::python_error();
  return nb::steal(capsule);
}

}  // namespace

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ImportStream(nb::handle exporter) {
  const nb::object capsule = exporter.attr("__arrow_c_stream__")();
  auto* const stream =
      static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (stream == nullptr) throw nb::python_error();
  PENSTOCK_TRY(std::shared_ptr<arrow::RecordBatchReader> reader,
               arrow::ImportRecordBatchReader(stream));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  PENSTOCK_TRY(batches, reader->ToRecordBatches());
  if (batches.empty()) {
    PENSTOCK_TRY(std::shared_ptr<arrow::RecordBatch> empty,
                 arrow::RecordBatch::MakeEmpty(reader->schema()));
    batches.push_back(std::move(empty));
  }
  return batches;
}

nb::tuple ExportBatch(const arrow::RecordBatch& batch) {
  auto array = std::make_unique<ArrowArray>();
  auto schema = std::make_unique<ArrowSchema>();
  ThrowIfError(arrow::ExportRecordBatch(batch, array.get(), schema.get()));
  return nb::make_tuple(MakeCapsule(std::move(schema), "arrow_schema"),
                        MakeCapsule(std::move(array), "arrow_array"));
}

nb::object ExportSchema(const arrow::Schema& schema) {
  auto exported = std::make_unique<ArrowSchema>();
  ThrowIfError(arrow::ExportSchema(schema, exported.get()));
  return MakeCapsule(std::move(exported), "arrow_schema");
}

}  // namespace penstock::python
