#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>

#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/source/file_set.h"
#include "penstock/source/ipc_batch.h"
#include "penstock/source/ipc_stream.h"
#include "penstock/source/parted_source.h"
#include "penstock/source/registry.h"

/// The reader ipc, of Arrow's IPC files (Feather version 2) and IPC streams, has only the options
/// of all file readers. What a file begins with says which it is. A split is a record batch.
namespace penstock {
namespace {

constexpr std::string_view kFileMagic = "ARROW1";
constexpr std::string_view kFeather1Magic = "FEA1";

/// Files are opened in their order, some at once: more need not be remembered.
constexpr size_t kIndexesMax = 64;

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

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int64_t part,
                                                         const std::vector<int>& columns) override {
    return ReadIpcBatch(bytes_, [&](arrow::ipc::IpcReadOptions options) -> IpcBatch {
      options.included_fields = columns;
      PENSTOCK_TRY(const auto reader, arrow::ipc::RecordBatchFileReader::Open(file_, options));
      return reader->ReadRecordBatch(static_cast<int>(part));
    });
  }

 private:
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;  // Shared with the readers.
  const std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  const int64_t bytes_;
};

/// Reads the first bytes, which tell the formats apart.
Result<std::string> ReadMagic(arrow::io::RandomAccessFile& file) {
  PENSTOCK_TRY(const auto magic, file.ReadAt(0, static_cast<int64_t>(kFileMagic.size())));
  return magic->ToString();
}

class IpcFormat final : public PartedFormat {
 public:
  Result<std::unique_ptr<PartedFile>> Open(const InputFile& file) const override {
    PENSTOCK_TRY(auto input, OpenFile(file));
    PENSTOCK_TRY(const std::string magic, ReadMagic(*input));
    if (magic.starts_with(kFeather1Magic)) {
      return Status::NotImplemented(
          "Feather version 1 is not read; convert it with a pyarrow or pandas that still does: "
          "pyarrow.feather.write_feather(pyarrow.feather.read_table(old), new)");
    }
    if (magic != kFileMagic) {
      PENSTOCK_TRY(auto index, StreamIndexOf(file, *input));
      return MakeIpcStreamFile(std::move(input), std::move(index));
    }
    PENSTOCK_TRY(auto reader, arrow::ipc::RecordBatchFileReader::Open(input));
    PENSTOCK_TRY(const int64_t bytes, input->GetSize());
    return std::make_unique<IpcFile>(std::move(input), std::move(reader), bytes);
  }

  const char* part_name() const override { return "record batch"; }

 private:
  using Index = std::shared_ptr<const IpcStreamIndex>;

  /// Goes through a stream once, not again for each of its record batches.
  Result<Index> StreamIndexOf(const InputFile& file, arrow::io::RandomAccessFile& input) const {
    {
      MutexLock lock(mutex_);
      for (const auto& [path, index] : indexes_) {
        if (path == file.path) return index;
      }
    }
    PENSTOCK_TRY(Index index, IndexIpcStream(input));
    MutexLock lock(mutex_);
    indexes_.emplace_back(file.path, index);
    if (indexes_.size() > kIndexesMax) indexes_.pop_front();
    return index;
  }

  mutable Mutex mutex_;
  mutable std::deque<std::pair<std::string, Index>> indexes_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<Source>> MakeIpcSource(const ReadOp& read, const ReadLimits& limits,
                                              int /*parallelism*/) {
  OptionReader options("reader ipc", read.options);
  PENSTOCK_TRY(auto set, ListFileSet(options, read, {"arrow", "arrows", "feather", "ipc"}));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakePartedSource(std::make_unique<IpcFormat>(), std::move(set.files),
                          std::move(set.columns), read, limits);
}

}  // namespace penstock
