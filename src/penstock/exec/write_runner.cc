#include "penstock/exec/write_runner.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <unordered_map>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"

namespace penstock {
namespace {

class WriteRunnerImpl final : public WriteRunner {
 public:
  WriteRunnerImpl(RunnerContext context, std::unique_ptr<Sink> sink, EmptySchema empty_schema)
      : context_(context), sink_(std::move(sink)), empty_schema_(std::move(empty_schema)) {}

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

  void Commit() override {
    context_.pool.Submit([this] {
      Status status = WriteEmptyPart();
      if (status.ok()) status = sink_->Commit().status();
      if (!status.ok()) {
        context_.events.Post(JobFailed{status});
        return;
      }
      {
        MutexLock lock(mutex_);
        committed_ = true;
      }
      context_.events.Post(OutputCommitted{});
    });
  }

  void AbortUnlessCommitted() override {
    MutexLock lock(mutex_);
    if (committed_) return;
    parts_.clear();
    sink_->Abort();
  }

 private:
  using Parts = std::unordered_map<int64_t, std::unique_ptr<PartWriter>>;

  Status WriteEmptyPart() {
    {
      MutexLock lock(mutex_);
      if (any_opened_) return Status::OK();
    }
    PENSTOCK_TRY(std::shared_ptr<arrow::Schema> schema, empty_schema_());
    if (schema == nullptr) schema = arrow::schema(arrow::FieldVector{});
    PENSTOCK_TRY(auto batch, arrow::RecordBatch::MakeEmpty(schema));
    PENSTOCK_TRY(const auto writer, sink_->Open(/*part=*/0));
    PENSTOCK_RETURN_NOT_OK(writer->Write(Block{.batch = std::move(batch)}));
    return writer->Close().status();
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
    PENSTOCK_RETURN_NOT_OK(writer->Close().status());
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
    PENSTOCK_TRY(std::unique_ptr<PartWriter> writer, sink_->Open(part));
    MutexLock lock(mutex_);
    any_opened_ = true;
    return parts_.emplace(part, std::move(writer)).first->second.get();
  }

  const RunnerContext context_;
  const std::unique_ptr<Sink> sink_;
  const EmptySchema empty_schema_;

  Mutex mutex_;
  Parts parts_ PENSTOCK_GUARDED_BY(mutex_);
  bool any_opened_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool committed_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<WriteRunner> WriteRunner::Make(RunnerContext context, std::unique_ptr<Sink> sink,
                                               EmptySchema empty_schema) {
  return std::make_unique<WriteRunnerImpl>(context, std::move(sink), std::move(empty_schema));
}

}  // namespace penstock
