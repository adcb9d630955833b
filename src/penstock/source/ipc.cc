#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>

#include <utility>

#include "penstock/source/file_set.h"
#include "penstock/source/parted_source.h"
#include "penstock/source/registry.h"

/// The reader ipc, of Arrow's IPC files (Feather version 2), has only the options of all file
/// readers. A split is a record batch.
namespace penstock {
namespace {

class IpcFile final : public PartedFile {
 public:
  IpcFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
          std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader, int64_t bytes)
      : file_(std::move(file)), reader_(std::move(reader)), bytes_(bytes) {}

  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  int64_t parts() const override { return reader_->num_record_batches(); }
  int64_t rows(int64_t /*part*/) const override { return -1; }
  int64_t bytes(int64_t /*part*/) const override { return bytes_ / parts(); }
  Result<int64_t> CountRows() override { return reader_->CountRows(); }

  Result<std::shared_ptr<arrow::RecordBatch>> Read(int64_t part,
                                                   const std::vector<int>& columns) override {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    options.included_fields = columns;
    PENSTOCK_TRY(const auto reader, arrow::ipc::RecordBatchFileReader::Open(file_, options));
    PENSTOCK_TRY(auto batch, reader->ReadRecordBatch(static_cast<int>(part)));
    PENSTOCK_RETURN_NOT_OK(batch->ValidateFull());
    return batch;
  }

 private:
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;  // Shared with the readers.
  const std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  const int64_t bytes_;
};

class IpcFormat final : public PartedFormat {
 public:
  Result<std::unique_ptr<PartedFile>> Open(const InputFile& file) const override {
    PENSTOCK_TRY(auto input, OpenFile(file));
    PENSTOCK_TRY(auto reader, arrow::ipc::RecordBatchFileReader::Open(input));
    PENSTOCK_TRY(const int64_t bytes, input->GetSize());
    return std::make_unique<IpcFile>(std::move(input), std::move(reader), bytes);
  }

  const char* part_name() const override { return "record batch"; }
};

}  // namespace

Result<std::unique_ptr<Source>> MakeIpcSource(const ReadOp& read, const ReadLimits& limits,
                                              int /*parallelism*/) {
  OptionReader options("reader ipc", read.options);
  PENSTOCK_TRY(auto set, ListFileSet(options, {"arrow", "feather", "ipc"}));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakePartedSource(std::make_unique<IpcFormat>(), std::move(set.files),
                          std::move(set.columns), read, limits);
}

}  // namespace penstock
