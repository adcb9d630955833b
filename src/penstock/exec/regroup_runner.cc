#include "penstock/exec/regroup_runner.h"

#include <utility>

namespace penstock {
namespace {

class RegroupRunner final : public OneStepRunner {
 public:
  explicit RegroupRunner(RunnerContext context) : context_(context) {}

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    const TaskId task = action.task;
    if (pieces.size() == 1 && context_.transforms.empty()) {
      Join(task, pieces);  // A slice: cheaper than waking a thread.
      return;
    }
    context_.pool.Submit([this, task, pieces = std::move(pieces)] { Join(task, pieces); });
  }

 private:
  void Join(TaskId task, const std::vector<Piece>& pieces) {
    Result<Block> joined = ConcatenatePieces(pieces);
    if (!joined.ok()) {
      PostFailed(context_, task, joined.status());
      return;
    }
    PostTransformed(context_, task, joined.MoveValueUnsafe(), {});
  }

  const RunnerContext context_;
};

}  // namespace

std::unique_ptr<StageRunner> MakeRegroupRunner(RunnerContext context) {
  return std::make_unique<RegroupRunner>(context);
}

}  // namespace penstock
