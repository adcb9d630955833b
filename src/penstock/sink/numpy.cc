#include <arrow/type.h>

#include <utility>

#include "penstock/sink/npy.h"
#include "penstock/sink/registry.h"

/// The writer numpy: a .npy file of the one column that its rows have; see npy.h. It has no
/// options beside those of file_sink.h.
namespace penstock {
namespace {

class NumpyFile final : public FileWriter {
 public:
  NumpyFile(std::shared_ptr<arrow::io::OutputStream> stream, std::string column, NpyArray array)
      : stream_(std::move(stream)), column_(std::move(column)), array_(std::move(array)) {}

  Status Begin() { return stream_->Write(array_.Head(0)); }

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    values_.clear();
    const Status appended = array_.Append(*batch->column(0), &values_);
    if (!appended.ok()) {
      return appended.WithMessage("Column '", column_, "': ", appended.message());
    }
    rows_ += batch->num_rows();
    return stream_->Write(std::string_view(values_));
  }

  Result<std::string> Finish() override { return array_.Head(rows_); }

 private:
  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with the part's file.
  const std::string column_;
  NpyArray array_;
  std::string values_;
  int64_t rows_ = 0;
};

class NumpyFormat final : public FileFormat {
 public:
  std::string extension() const override { return ".npy"; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    return ArrayOf(schema).status();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    PENSTOCK_TRY(NpyArray array, ArrayOf(*schema));
    auto file =
        std::make_unique<NumpyFile>(std::move(stream), schema->field(0)->name(), std::move(array));
    PENSTOCK_RETURN_NOT_OK(file->Begin());
    return file;
  }

 private:
  static Result<NpyArray> ArrayOf(const arrow::Schema& schema) {
    if (schema.num_fields() != 1) {
      return Status::Invalid("A .npy file holds one column; choose it; got: ", schema.num_fields());
    }
    auto array = NpyArray::Of(schema.field(0)->type());
    if (array.ok()) return array;
    return array.status().WithMessage("Column '", schema.field(0)->name(),
                                      "': ", array.status().message());
  }
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeNumpyFormat(OptionReader& options) {
  return std::make_unique<NumpyFormat>();
}

}  // namespace penstock
