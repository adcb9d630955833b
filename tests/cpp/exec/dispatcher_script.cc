#include "exec/dispatcher_script.h"

#include <utility>

namespace penstock {
namespace {

std::string Of(StageIndex stage, int64_t one) {
  return std::to_string(stage) + "/" + std::to_string(one);
}

std::string Of(const PieceRef& piece) {
  return std::to_string(piece.block) + ":" + std::to_string(piece.offset) + "+" +
         std::to_string(piece.rows);
}

struct Writer {
  std::string operator()(const ListSplits& action) const {
    return "list " + std::to_string(action.count_max);
  }
  std::string operator()(const StartTask& action) const {
    std::string line = "start " + Of(action.stage, action.task);
    if (!action.pieces.empty()) {
      line += " [";
      for (size_t index = 0; index < action.pieces.size(); ++index) {
        line += (index > 0 ? " " : "") + Of(action.pieces[index]);
      }
      line += "]";
    }
    if (action.worker >= 0) line += " worker " + std::to_string(action.worker);
    if (action.part >= 0) line += " part " + std::to_string(action.part);
    if (action.closes_part) line += " closes";
    return line;
  }
  std::string operator()(const StepTask& action) const {
    return "step " + Of(action.stage, action.task);
  }
  std::string operator()(const AbandonTask& action) const {
    return "abandon " + Of(action.stage, action.task);
  }
  std::string operator()(const StartWorker& action) const {
    return "start worker " + Of(action.stage, action.worker);
  }
  std::string operator()(const StopWorker& action) const {
    return "stop worker " + Of(action.stage, action.worker);
  }
  std::string operator()(const DropBlock& action) const {
    return "drop " + std::to_string(action.block);
  }
  std::string operator()(const EmitBlock& action) const { return "emit " + Of(action.piece); }
  std::string operator()(const CommitOutput&) const { return "commit"; }
  std::string operator()(const Finish& action) const {
    return action.status.ok() ? "finish" : "fail";
  }
};

}  // namespace

std::string ToLine(const Action& action) { return std::visit(Writer{}, action); }

DispatcherScript::DispatcherScript(std::vector<StageLimits> stages, DispatcherLimits limits) {
  for (size_t index = 0; index < stages.size(); ++index) {
    if (stages[index].name.empty()) stages[index].name = "S" + std::to_string(index);
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

std::vector<std::string> DispatcherScript::List(const std::vector<int64_t>& chunks, bool last) {
  SplitsListed listed{.last = last};
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

StageLimits WriteStage(int slots) { return {.role = StageRole::kWrite, .slots = slots}; }

StageLimits CollectStage() { return {.role = StageRole::kCollect}; }

DispatcherLimits AmpleLimits() { return {.budget_bytes = 1'000'000, .native_threads = 8}; }

}  // namespace penstock
