#include "exec/dispatcher_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "penstock/base/error.h"

namespace penstock {
namespace {

std::string Of(const PieceRef& piece) {
  return fmt::format("{}:{}+{}", piece.block, piece.offset, piece.rows);
}

struct Writer {
  std::string operator()(const ListSplits& action) const {
    return action.stage == 0 ? fmt::format("list {}", action.count_max)
                             : fmt::format("list {} of {}", action.count_max, action.stage);
  }
  std::string operator()(const StartTask& action) const {
    std::vector<std::string> pieces;
    for (const PieceRef& piece : action.pieces) pieces.push_back(Of(piece));
    std::string line = fmt::format("start {}/{}", action.stage, action.task);
    if (!pieces.empty()) line += fmt::format(" [{}]", fmt::join(pieces, " "));
    if (action.worker >= 0) line += fmt::format(" worker {}", action.worker);
    if (action.part >= 0) line += fmt::format(" part {}", action.part);
    if (action.closes_part) line += " closes";
    if (action.again) line += " again";
    return line;
  }
  std::string operator()(const FailRow& action) const {
    return "leave out " + std::to_string(action.piece.block) + ":" +
           std::to_string(action.piece.offset) + " of " + std::to_string(action.stage) + "/" +
           std::to_string(action.task) + " after " + std::to_string(action.attempts);
  }
  std::string operator()(const StepTask& action) const {
    return fmt::format("step {}/{}", action.stage, action.task);
  }
  std::string operator()(const AbandonTask& action) const {
    return fmt::format("abandon {}/{}", action.stage, action.task);
  }
  std::string operator()(const StartWorker& action) const {
    return fmt::format("start worker {}/{}", action.stage, action.worker);
  }
  std::string operator()(const StopWorker& action) const {
    return fmt::format("stop worker {}/{}", action.stage, action.worker);
  }
  std::string operator()(const KillWorker& action) const {
    return fmt::format("kill worker {}/{}", action.stage, action.worker);
  }
  std::string operator()(const Warn& action) const { return "warn: " + action.text; }
  std::string operator()(const DropBlock& action) const {
    return fmt::format("drop {}", action.block);
  }
  std::string operator()(const EmitBlock& action) const {
    return fmt::format("emit {}", Of(action.piece));
  }
  std::string operator()(const CommitOutput& action) const {
    std::string line = "commit";
    if (!action.chunks.empty()) line += fmt::format(" chunks {}", fmt::join(action.chunks, " "));
    if (!action.parts.empty()) line += fmt::format(" parts {}", fmt::join(action.parts, " "));
    return action.last ? line : line + " …";
  }
  std::string operator()(const Finish& action) const {
    return action.status.ok() ? "finish" : "fail";
  }
};

}  // namespace

std::string ToLine(const Action& action) { return std::visit(Writer{}, action); }

DispatcherScript::DispatcherScript(std::vector<StageLimits> stages, DispatcherLimits limits) {
  for (size_t index = 0; index < stages.size(); ++index) {
    if (stages[index].name.empty()) stages[index].name = fmt::format("S{}", index);
  }
  dispatcher_ = Dispatcher::Make(std::move(stages), limits).ValueOrDie();
}

std::vector<std::string> DispatcherScript::Lines(const std::vector<Action>& actions) {
  std::vector<std::string> lines;
  for (const Action& action : actions) {
    lines.push_back(ToLine(action));
    if (const auto* finish = std::get_if<Finish>(&action)) finish_ = finish->status;
  }
  return lines;
}

std::vector<std::string> DispatcherScript::List(const std::vector<int64_t>& chunks, bool last,
                                                StageIndex stage) {
  SplitsListed listed{.last = last, .stage = stage};
  for (const int64_t chunk : chunks) listed.splits.push_back({.chunk = chunk});
  return Send(listed);
}

std::vector<std::string> DispatcherScript::Done(StageIndex stage, TaskId task, BlockId block,
                                                int64_t rows, int64_t chunk, bool finished,
                                                int64_t bytes) {
  return Send(StepDone{stage, task, BlockSize{block, rows, bytes, chunk}, finished});
}

std::vector<std::string> DispatcherScript::DoneEmpty(StageIndex stage, TaskId task) {
  return Send(StepDone{stage, task, std::nullopt, true});
}

WorkJob::WorkJob(StageLimits work, int64_t rows) : WorkJob(std::move(work), rows, CollectStage()) {}

WorkJob::WorkJob(StageLimits work, int64_t rows, StageLimits last)
    : DispatcherScript({ReadStage(), work, std::move(last)}, AmpleLimits()) {
  Start();
  for (WorkerIndex worker = 0; worker < work.workers; ++worker) Send(WorkerUp{1, worker});
  List({0});
  Done(0, 0, 1, rows);
}

std::vector<RetryBudget> RetriesOfDeaths(int each) {
  return std::vector<RetryBudget>(kByException, {.retries = each});
}

Status Death() { return MakeError(ErrorKind::kWorkerDied, "killed by signal 9"); }

StageLimits ReadStage(int slots) {
  return {.role = StageRole::kRead, .slots = slots, .block_bytes_estimate = 10};
}

StageLimits WorkStage(int64_t batch_rows, int workers, int in_flight) {
  return {.role = StageRole::kWork,
          .batch_rows = batch_rows,
          .workers = workers,
          .in_flight_per_worker = in_flight,
          .block_bytes_estimate = 10};
}

StageLimits UnionStage(std::vector<StageIndex> inputs) {
  return {.role = StageRole::kRegroup, .inputs = std::move(inputs), .block_bytes_estimate = 10};
}

StageLimits ZipStage(std::vector<StageIndex> inputs) {
  return {.role = StageRole::kZip, .inputs = std::move(inputs), .block_bytes_estimate = 10};
}

StageLimits WriteStage(int slots) { return {.role = StageRole::kWrite, .slots = slots}; }

StageLimits CollectStage() { return {.role = StageRole::kCollect}; }

DispatcherLimits AmpleLimits() { return {.budget_bytes = 1'000'000, .native_threads = 8}; }

}  // namespace penstock
