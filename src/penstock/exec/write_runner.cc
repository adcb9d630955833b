#include "penstock/exec/write_runner.h"

#include <unordered_map>
#include <utility>

#include "penstock/base/mutex.h"

namespace penstock {
namespace {

class WriteRunnerImpl final : public WriteRunner {
 public:
  WriteRunnerImpl(RunnerContext context, std::unique_ptr<Sink> sink)
      : context_(context), sink_(std::move(sink)) {}

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    context_.pool.Submit([this, task = action.task, part = action.part, closes = action.closes_part,
                          pieces = std::move(pieces)] {
      const Status status = Append(part, pieces, closes);
      if (!status.ok()) {
        context_.events.Post(TaskFailed{context_.index, task, status});
        return;
      }
      context_.events.Post(StepDone{.stage = context_.index, .task = task, .finished = true});
    });
  }

  void Commit() override {
    context_.pool.Submit([this] {
      const Result<std::vector<PartFile>> files = sink_->Commit();
      if (!files.ok()) {
        context_.events.Post(JobFailed{files.status()});
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

  // The dispatcher never has two steps of one part out, so the writer needs no lock of its own.
  Status Append(int64_t part, const std::vector<Piece>& pieces, bool closes) {
    PENSTOCK_TRY(PartWriter* const writer, FindOrOpen(part));
    for (const Piece& piece : pieces) {
      PENSTOCK_RETURN_NOT_OK(writer->Write(SliceBlock(piece.block, piece.offset, piece.rows)));
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
    return parts_.emplace(part, std::move(writer)).first->second.get();
  }

  const RunnerContext context_;
  const std::unique_ptr<Sink> sink_;

  Mutex mutex_;
  Parts parts_ PENSTOCK_GUARDED_BY(mutex_);
  bool committed_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<WriteRunner> WriteRunner::Make(RunnerContext context, std::unique_ptr<Sink> sink) {
  return std::make_unique<WriteRunnerImpl>(context, std::move(sink));
}

}  // namespace penstock
