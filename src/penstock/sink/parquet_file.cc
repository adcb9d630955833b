#include "penstock/sink/parquet_file.h"

#include <arrow/type.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

constexpr int64_t kRowGroupBytesMax = int64_t{64} << 20;

}  // namespace

Result<std::unique_ptr<ParquetFile>> ParquetFile::Create(OutputFolder& folder, std::string name,
                                                         std::shared_ptr<arrow::Schema> schema,
                                                         const ParquetFileOptions& options) {
  PENSTOCK_TRY(auto temporary, folder.CreateTemporary(name));
  std::unique_ptr<ParquetFile> file(
      new ParquetFile(std::move(name), std::move(schema), std::move(temporary)));
  PENSTOCK_RETURN_NOT_OK(file->Named(file->OpenWriter(options)));
  return file;
}

Status ParquetFile::OpenWriter(const ParquetFileOptions& options) {
  const auto properties = parquet::WriterProperties::Builder()
                              .compression(options.compression)
                              ->max_row_group_length(options.row_group_rows)
                              ->enable_page_checksum()
                              ->build();
  const auto arrow_properties =
      parquet::ArrowWriterProperties::Builder().store_schema()->set_use_threads(false)->build();
  PENSTOCK_TRY(writer_,
               parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(),
                                                file_->stream(), properties, arrow_properties));
  return Status::OK();
}

Status ParquetFile::Write(const arrow::RecordBatch& batch) { return Named(WriteSlices(batch)); }

Status ParquetFile::WriteSlices(const arrow::RecordBatch& batch) {
  const int64_t bytes = BlockBytes(batch);
  const int64_t slices = std::max<int64_t>((bytes + kRowGroupBytesMax - 1) / kRowGroupBytesMax, 1);
  const int64_t slice_rows = std::max<int64_t>((batch.num_rows() + slices - 1) / slices, 1);
  for (int64_t offset = 0; offset < batch.num_rows(); offset += slice_rows) {
    if (group_bytes_ > 0 && group_bytes_ + bytes / slices > kRowGroupBytesMax) {
      PENSTOCK_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      group_bytes_ = 0;
    }
    const auto slice = batch.Slice(offset, slice_rows);
    PENSTOCK_RETURN_NOT_OK(writer_->WriteRecordBatch(*slice));
    group_bytes_ += bytes / slices;
    rows_ += slice->num_rows();
  }
  return Status::OK();
}

Result<PartFile> ParquetFile::Close() {
  PENSTOCK_RETURN_NOT_OK(Named(writer_->Close()));
  PENSTOCK_TRY(const int64_t bytes, file_->Keep());
  return PartFile{.name = name_, .rows = rows_, .bytes = bytes};
}

Status ParquetFile::Named(const Status& status) const {
  if (status.ok() || status.message().find(name_) != std::string::npos) return status;
  return status.WithMessage("Cannot write ", name_, ": ", status.message());
}

}  // namespace penstock
