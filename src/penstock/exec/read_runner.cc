#include "penstock/exec/read_runner.h"

#include <unordered_map>
#include <utility>

#include "penstock/base/check.h"
#include "penstock/base/mutex.h"

namespace penstock {
namespace {

/// A split that is being read. Shared by the runner and the step that is out, so that abandoning
/// it waits for nothing.
struct OpenSplit {
  Split split;
  std::unique_ptr<SplitReader> reader;
  int64_t rows_read = 0;
};

class ReadRunnerImpl final : public ReadRunner {
 public:
  ReadRunnerImpl(RunnerContext context, std::unique_ptr<Source> source, int64_t read,
                 const ChunkSet& done)
      : context_(context), source_(std::move(source)), read_(read), done_(done) {}

  void ListSplits(int64_t count_max) override {
    context_.pool.Submit([this, count_max] { List(count_max); });
  }

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    auto open = std::make_shared<OpenSplit>();
    {
      MutexLock lock(mutex_);
      auto listed = listed_.extract(action.task);
      PENSTOCK_CHECK(!listed.empty());
      open->split = std::move(listed.mapped());
    }
    open_.emplace(action.task, open);
    Submit(action.task, std::move(open));
  }

  void StepTask(TaskId task) override { Submit(task, open_.at(task)); }

  void EndTask(TaskId task) override { open_.erase(task); }

  void StartWorker(WorkerIndex worker) override { PENSTOCK_CHECK(false && "reads need none"); }
  void StopWorker(const penstock::StopWorker& action) override {
    PENSTOCK_CHECK(false && "reads need none");
  }

 private:
  /// Lists splits until some are to be read, or there are no more.
  void List(int64_t count_max) {
    SplitsListed listed{.stage = context_.index};
    while (listed.splits.empty() && !listed.last) {
      Result<std::vector<Split>> more = source_->NextSplits(count_max);
      if (!more.ok()) {
        context_.events.Post(JobFailed{more.status()});
        return;
      }
      listed.last = more->empty();
      for (Split& split : *more) Add(std::move(split), listed);
    }
    context_.events.Post(std::move(listed));
  }

  void Add(Split split, SplitsListed& listed) {
    context_.split_names.Add(read_, split.index, split.name);
    split.chunk = JobWideNumber(read_, split.chunk);
    if (done_.Contains(split.chunk)) return;
    listed.splits.push_back({.chunk = split.chunk, .rows = split.rows, .bytes = split.bytes});
    MutexLock lock(mutex_);
    listed_.emplace(next_task_++, std::move(split));
  }

  void Submit(TaskId task, std::shared_ptr<OpenSplit> open) {
    context_.pool.Submit([this, task, open = std::move(open)] { Step(task, *open); });
  }

  void Step(TaskId task, OpenSplit& open) {
    Result<std::shared_ptr<arrow::RecordBatch>> next = Next(open);
    if (!next.ok()) {
      context_.events.Post(TaskFailed{context_.index, task, next.status()});
      return;
    }
    if (*next == nullptr) {
      context_.events.Post(StepDone{.stage = context_.index, .task = task, .finished = true});
      return;
    }
    Block block{.batch = next.MoveValueUnsafe()};
    const int64_t split = JobWideNumber(read_, open.split.index);
    block.lineage = Lineage({split, open.rows_read, block.rows()});
    const int64_t rows = block.rows();
    open.rows_read += rows;
    PostTransformed(context_, task, std::move(block),
                    {.chunk = open.split.chunk, .finished = false, .rows_read = rows});
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next(OpenSplit& open) {
    if (open.reader == nullptr) {
      PENSTOCK_TRY(open.reader, source_->Open(open.split));
    }
    return open.reader->Next();
  }

  const RunnerContext context_;
  const std::unique_ptr<Source> source_;
  const int64_t read_;
  const ChunkSet& done_;                                         // The job's, as its ledger has it.
  std::unordered_map<TaskId, std::shared_ptr<OpenSplit>> open_;  // Of the methods alone.

  Mutex mutex_;
  std::unordered_map<TaskId, Split> listed_ PENSTOCK_GUARDED_BY(mutex_);  // Not started yet.
  TaskId next_task_ PENSTOCK_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<ReadRunner> ReadRunner::Make(RunnerContext context, std::unique_ptr<Source> source,
                                             int64_t read, const ChunkSet& done) {
  return std::make_unique<ReadRunnerImpl>(context, std::move(source), read, done);
}

}  // namespace penstock
