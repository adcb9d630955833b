#include "penstock/sink/part_files.h"

#include <arrow/io/compressed.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include "penstock/block/unify.h"
#include "penstock/sink/given_names.h"

namespace penstock {

void SharedParts::Add(ClosedFile file) {
  MutexLock lock(mutex_);
  const int64_t part = file.part;
  files_[part].push_back(std::move(file));
}

std::vector<ClosedFile> SharedParts::InOrder() {
  MutexLock lock(mutex_);
  std::vector<ClosedFile> all;
  for (const auto& [part, files] : files_) all.insert(all.end(), files.begin(), files.end());
  return all;
}

std::vector<PartFile> SharedParts::OfPart(int64_t part) {
  MutexLock lock(mutex_);
  std::vector<PartFile> files;
  const auto found = files_.find(part);
  if (found == files_.end()) return files;
  for (const ClosedFile& closed : found->second) files.push_back(closed.file);
  return files;
}

Status SharedParts::CheckSchema(const std::shared_ptr<arrow::Schema>& schema) {
  MutexLock lock(mutex_);
  if (schema_ == nullptr) schema_ = schema;
  PENSTOCK_TRY(schema_, UnifySchemas(schema_, schema));
  return Status::OK();
}

/// A file that is written to. What goes first is declared last: the writer, then the streams.
struct FileSequence::OpenFile {
  std::unique_ptr<TemporaryFile> temporary;
  std::shared_ptr<arrow::io::OutputStream> stream;  // Shared with the writer.
  std::unique_ptr<FileWriter> writer;
  std::shared_ptr<arrow::Schema> schema;  // Of the file; its batches' may have other types.
  int64_t rows = 0;
};

FileSequence::FileSequence(const FileFormat& format, OutputFolder& folder, SharedParts& shared,
                           int64_t part, std::string subfolder, std::string name,
                           std::string name_column)
    : format_(format),
      folder_(folder),
      shared_(shared),
      part_(part),
      subfolder_(std::move(subfolder)),
      name_(std::move(name)),
      name_column_(std::move(name_column)) {}

FileSequence::~FileSequence() = default;

Status FileSequence::Write(const std::shared_ptr<arrow::RecordBatch>& batch) {
  if (!format_.file_per_row()) return Named(WriteRows(batch));
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    PENSTOCK_TRY(const auto one, TakeName(batch->Slice(row, 1)));
    PENSTOCK_RETURN_NOT_OK(Named(WriteRows(one)));
    PENSTOCK_RETURN_NOT_OK(CloseFile());
  }
  return Status::OK();
}

/// Keeps the name that a row brings for its file, if one does, and returns the row without it.
Result<std::shared_ptr<arrow::RecordBatch>> FileSequence::TakeName(
    std::shared_ptr<arrow::RecordBatch> row) {
  if (name_column_.empty()) return row;
  const int column = row->schema()->GetFieldIndex(name_column_);
  if (column < 0) {
    return Status::Invalid("The rows lack the column that was to name their files: ", name_column_);
  }
  PENSTOCK_TRY(given_name_, GivenName(*row, column, format_.extension()));
  return row->RemoveColumn(column);
}

Status FileSequence::WriteRows(const std::shared_ptr<arrow::RecordBatch>& batch) {
  PENSTOCK_TRY(const auto fit, MakeFit(batch));
  PENSTOCK_RETURN_NOT_OK(file_->writer->Write(fit));
  file_->rows += fit->num_rows();
  return Status::OK();
}

/// Returns the batch in the schema of the open file: of a new one where it does not go into the
/// one before as it is. The schema grows from file to file, so that there are few of them.
Result<std::shared_ptr<arrow::RecordBatch>> FileSequence::MakeFit(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto is_last = [this](const arrow::Schema& other) {
    return schema_ != nullptr && schema_->Equals(other, /*check_metadata=*/false);
  };
  std::shared_ptr<arrow::Schema> schema = batch->schema();
  if (is_last(*schema)) {
    if (file_ != nullptr && !Takes(*batch)) PENSTOCK_RETURN_NOT_OK(CloseFile());
    if (file_ == nullptr) PENSTOCK_RETURN_NOT_OK(Begin(*batch));
    return batch;
  }
  if (format_.rows_stand_alone()) {
    PENSTOCK_RETURN_NOT_OK(format_.CheckSchema(*schema));
    schema_ = schema;
    if (file_ == nullptr) PENSTOCK_RETURN_NOT_OK(Begin(*batch));
    return batch;
  }
  if (schema_ != nullptr) {
    PENSTOCK_TRY(schema, UnifySchemas(schema_, schema));
  }
  auto fit = BringToSchema(batch, schema);
  if (!fit.ok()) {
    schema = batch->schema();
    fit = batch;
  }
  if (is_last(*schema) && file_ != nullptr && Takes(**fit)) return fit;
  PENSTOCK_RETURN_NOT_OK(format_.CheckSchema(*schema));
  PENSTOCK_RETURN_NOT_OK(shared_.CheckSchema(schema));
  PENSTOCK_RETURN_NOT_OK(CloseFile());
  PENSTOCK_RETURN_NOT_OK(Begin(**fit));
  return fit;
}

/// Says whether the open file holds each column as this batch needs it held, or as it is.
bool FileSequence::Takes(const arrow::RecordBatch& batch) const {
  const auto needed = format_.FileSchema(batch);
  for (int i = 0; needed != batch.schema() && i < needed->num_fields(); ++i) {
    const arrow::DataType& type = *needed->field(i)->type();
    if (type.Equals(*batch.schema()->field(i)->type())) continue;
    if (!type.Equals(*file_->schema->field(i)->type())) return false;
  }
  return true;
}

Status FileSequence::Begin(const arrow::RecordBatch& first) {
  auto file = std::make_unique<OpenFile>();
  PENSTOCK_TRY(file->temporary, folder_.CreateTemporary(FinalName()));
  file->stream = file->temporary->stream();
  if (format_.stream_compression() != arrow::Compression::UNCOMPRESSED) {
    PENSTOCK_TRY(const auto codec, arrow::util::Codec::Create(format_.stream_compression()));
    PENSTOCK_TRY(file->stream,
                 arrow::io::CompressedOutputStream::Make(codec.get(), file->temporary->stream()));
  }
  file->schema = format_.FileSchema(first);
  PENSTOCK_TRY(file->writer,
               format_.Open(file->stream, file->schema, FilePlace{.part = part_, .file = files_}));
  schema_ = first.schema();
  file_ = std::move(file);
  return Status::OK();
}

Status FileSequence::CloseFile() {
  if (file_ == nullptr) return Status::OK();
  auto head = file_->writer->Finish();
  PENSTOCK_RETURN_NOT_OK(Named(head.status()));
  PENSTOCK_RETURN_NOT_OK(Named(file_->stream->Close()));
  if (!head->empty()) PENSTOCK_RETURN_NOT_OK(file_->temporary->OverwriteStart(*head));
  PENSTOCK_TRY(const FileChecksum kept, file_->temporary->Keep());
  shared_.Add({.part = part_,
               .subfolder = subfolder_,
               .place = Place(),
               .file = {.name = FinalName(),
                        .temporary_name = file_->temporary->name(),
                        .rows = file_->rows,
                        .bytes = kept.bytes,
                        .crc32c = kept.crc32c}});
  file_ = nullptr;
  ++files_;
  return Status::OK();
}

std::string FileSequence::Place() const {
  return files_ == 0 && !format_.file_per_row() ? "" : fmt::format("_{:06}", files_);
}

std::string FileSequence::FinalName() const {
  if (!given_name_.empty()) return subfolder_ + given_name_;
  return subfolder_ + name_ + Place() + format_.extension() +
         CompressionSuffix(format_.stream_compression());
}

Status FileSequence::Named(const Status& status) const {
  const std::string name = FinalName();
  if (status.ok() || status.message().find(name) != std::string::npos) return status;
  return status.WithMessage("Cannot write ", name, ": ", status.message());
}

}  // namespace penstock
