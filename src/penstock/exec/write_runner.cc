#include "penstock/exec/write_runner.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <unordered_map>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/ledger/folder_record.h"

namespace penstock {
namespace {

class WriteRunnerImpl final : public WriteRunner {
 public:
  WriteRunnerImpl(RunnerContext context, JobOutput output, EmptySchema empty_schema)
      : context_(context),
        output_(std::move(output)),
        empty_schema_(std::move(empty_schema)),
        letters_(*output_.sink, output_.commits_chunks) {}

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    context_.pool.Submit([this, task = action.task, part = action.part, closes = action.closes_part,
                          pieces = std::move(pieces)] {
      const Status status = Append(part, pieces, closes);
      if (!status.ok()) {
        PostFailed(context_, task, status);
        return;
      }
      context_.events.Post(StepDone{.stage = context_.index, .task = task, .finished = true});
    });
  }

  void Commit(const CommitOutput& action) override {
    context_.pool.Submit([this, action] {
      const Status status = CommitNow(action);
      if (!status.ok()) {
        context_.events.Post(JobFailed{status});
        return;
      }
      {
        MutexLock lock(mutex_);
        committed_ = action.last;
      }
      context_.events.Post(OutputCommitted{});
    });
  }

  void AddLetter(DeadLetter letter) override {
    if (!letters_.Add(std::move(letter))) return;
    context_.pool.Submit([this] {
      const Status spilled = letters_.Spill();
      if (!spilled.ok()) context_.events.Post(JobFailed{spilled});
    });
  }

  void AbortUnlessCommitted() override {
    MutexLock lock(mutex_);
    if (committed_) return;
    parts_.clear();
    if (output_.ledger != nullptr) output_.ledger->Abort();
    output_.sink->Abort();
  }

 private:
  using Parts = std::unordered_map<int64_t, std::unique_ptr<PartWriter>>;

  Status CommitNow(const CommitOutput& action) {
    if (action.last) PENSTOCK_RETURN_NOT_OK(WriteEmptyPart());
    PENSTOCK_TRY(const std::vector<PartFile> letters, letters_.Write(action.chunks));
    if (output_.ledger == nullptr) return CommitWithoutLedger();
    return output_.ledger->Commit(action, TakeClosed(action), letters);
  }

  /// Shows all parts. In a folder that another job keeps a ledger of they are part of it only once
  /// they are on record; where they cannot be, they go again.
  Status CommitWithoutLedger() {
    PENSTOCK_TRY(const std::vector<PartFile> files, output_.sink->Commit());
    if (output_.local_folder.empty()) return Status::OK();
    const Status recorded = RecordAddedFiles(output_.local_folder, files);
    if (recorded.ok()) return recorded;
    for (const PartFile& file : files) unlink((output_.local_folder + "/" + file.name).c_str());
    return recorded;
  }

  /// Returns the files of the parts that are committed; the last commit takes all that are left.
  std::vector<PartFile> TakeClosed(const CommitOutput& action) {
    MutexLock lock(mutex_);
    std::vector<PartFile> files;
    const auto take = [&files](const std::vector<PartFile>& of_part) {
      files.insert(files.end(), of_part.begin(), of_part.end());
    };
    if (action.last) {
      for (const auto& [part, of_part] : std::exchange(closed_, {})) take(of_part);
      return files;
    }
    for (const int64_t part : action.parts) take(closed_.extract(part).mapped());
    return files;
  }

  Status WriteEmptyPart() {
    if (output_.ledger != nullptr && output_.ledger->files_done() > 0) return Status::OK();
    {
      MutexLock lock(mutex_);
      if (any_opened_) return Status::OK();
    }
    PENSTOCK_TRY(std::shared_ptr<arrow::Schema> schema, empty_schema_());
    if (schema == nullptr) schema = arrow::schema(arrow::FieldVector{});
    PENSTOCK_TRY(auto batch, arrow::RecordBatch::MakeEmpty(schema));
    PENSTOCK_TRY(const auto writer, output_.sink->Open(/*part=*/0, LabelOf(/*part=*/0)));
    PENSTOCK_RETURN_NOT_OK(writer->Write(Block{.batch = std::move(batch)}));
    return Close(/*part=*/0, *writer);
  }

  Status Close(int64_t part, PartWriter& writer) {
    PENSTOCK_TRY(std::vector<PartFile> files, writer.Close());
    if (output_.ledger == nullptr) return Status::OK();
    MutexLock lock(mutex_);
    closed_[part] = std::move(files);
    return Status::OK();
  }

  /// Returns what part files' names say of the part: the same in each run that commits chunks.
  std::string LabelOf(int64_t part) const {
    if (!output_.commits_chunks) return fmt::format("{:06}", part);
    const int64_t chunk = part >> kPartBits;
    const int64_t of_chunk = part & ((int64_t{1} << kPartBits) - 1);
    const bool has_several = output_.sink->rows_per_part_max() > 0 || of_chunk > 0;
    return has_several ? fmt::format("{:06}-{:06}", chunk, of_chunk) : fmt::format("{:06}", chunk);
  }

  /// Says which rows a block of other columns comes from.
  Status Located(const Status& status, const Piece& piece) const {
    const ErrorDetail* const detail = DetailOf(status);
    const Lineage rows = piece.block.lineage.Slice(piece.offset, piece.rows);
    const bool mismatch = detail != nullptr && detail->kind() == ErrorKind::kSchemaMismatch;
    if (!mismatch || rows.ranges().empty()) return status;
    const RowRange& first = rows.ranges().front();
    return status.WithMessage(status.message(), "; the other rows begin with row ", first.first_row,
                              " of ", context_.split_names.NameOf(first.split));
  }

  // The dispatcher never has two steps of one part out, so the writer needs no lock of its own.
  Status Append(int64_t part, const std::vector<Piece>& pieces, bool closes) {
    PENSTOCK_TRY(PartWriter* const writer, FindOrOpen(part));
    for (const Piece& piece : pieces) {
      const Status written = writer->Write(SliceBlock(piece.block, piece.offset, piece.rows));
      if (!written.ok()) return Located(written, piece);
    }
    if (!closes) return Status::OK();
    PENSTOCK_RETURN_NOT_OK(Close(part, *writer));
    MutexLock lock(mutex_);
    parts_.erase(part);
    return Status::OK();
  }

  Result<PartWriter*> FindOrOpen(int64_t part) {
    {
      MutexLock lock(mutex_);
      const auto found = parts_.find(part);
      if (found != parts_.end()) return found->second.get();
    }
    PENSTOCK_TRY(std::unique_ptr<PartWriter> writer, output_.sink->Open(part, LabelOf(part)));
    MutexLock lock(mutex_);
    any_opened_ = true;
    return parts_.emplace(part, std::move(writer)).first->second.get();
  }

  const RunnerContext context_;
  const JobOutput output_;
  const EmptySchema empty_schema_;
  DeadLetters letters_;

  Mutex mutex_;
  Parts parts_ PENSTOCK_GUARDED_BY(mutex_);
  std::map<int64_t, std::vector<PartFile>> closed_ PENSTOCK_GUARDED_BY(mutex_);  // With a ledger.
  bool any_opened_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool committed_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<WriteRunner> WriteRunner::Make(RunnerContext context, JobOutput output,
                                               EmptySchema empty_schema) {
  return std::make_unique<WriteRunnerImpl>(context, std::move(output), std::move(empty_schema));
}

}  // namespace penstock
