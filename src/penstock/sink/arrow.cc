#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>

#include <utility>

#include "penstock/sink/plain_columns.h"
#include "penstock/sink/registry.h"

/// Options of the writer arrow (the IPC file format, which is Feather's second version too),
/// beside those of file_sink.h:
///   compression  "none", "lz4" or "zstd", of the buffers in the file; "none"
namespace penstock {
namespace {

/// A file holds one dictionary a column, but each block may have its own: the values go instead.
Result<std::shared_ptr<arrow::DataType>> ArrowType(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return type.GetSharedPtr();
  return static_cast<const arrow::DictionaryType&>(type).value_type();
}

class ArrowFile final : public FileWriter {
 public:
  ArrowFile(std::shared_ptr<arrow::Schema> schema,
            std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : schema_(std::move(schema)), writer_(std::move(writer)) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    if (batch->num_rows() == 0) return Status::OK();
    PENSTOCK_TRY(const auto plain, CastColumns(batch, schema_));
    return writer_->WriteRecordBatch(*plain);
  }

  Result<std::string> Finish() override {
    PENSTOCK_RETURN_NOT_OK(writer_->Close());
    return "";
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;                  // Shared as all schemas are.
  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;  // Shared as Arrow makes it.
};

class ArrowFormat final : public FileFormat {
 public:
  explicit ArrowFormat(arrow::ipc::IpcWriteOptions options) : options_(std::move(options)) {}

  std::string extension() const override { return ".arrow"; }
  bool holds_no_columns() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    return ChooseTypes(schema, ArrowType).status();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    PENSTOCK_TRY(auto plain, ChooseTypes(*schema, ArrowType));
    PENSTOCK_TRY(auto writer, arrow::ipc::MakeFileWriter(std::move(stream), plain, options_));
    return std::make_unique<ArrowFile>(std::move(plain), std::move(writer));
  }

 private:
  const arrow::ipc::IpcWriteOptions options_;
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeArrowFormat(OptionReader& options) {
  auto ipc = arrow::ipc::IpcWriteOptions::Defaults();
  ipc.use_threads = false;
  PENSTOCK_TRY(const std::string codec, options.Text("compression", "none"));
  if (codec == "lz4") {
    PENSTOCK_TRY(ipc.codec, arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
  } else if (codec == "zstd") {
    PENSTOCK_TRY(ipc.codec, arrow::util::Codec::Create(arrow::Compression::ZSTD));
  } else if (codec != "none") {
    return options.Wrong("compression", "none, lz4 or zstd");
  }
  return std::make_unique<ArrowFormat>(std::move(ipc));
}

}  // namespace penstock
