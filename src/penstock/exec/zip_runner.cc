#include "penstock/exec/zip_runner.h"

#include <utility>

#include "penstock/block/zip.h"

namespace penstock {
namespace {

class ZipRunner final : public OneStepRunner {
 public:
  explicit ZipRunner(RunnerContext context) : context_(context) {}

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const Piece& piece : pieces) {
      batches.push_back(piece.block.batch->Slice(piece.offset, piece.rows));
    }
    const Piece& first = pieces.front();
    Block zipped{.batch = ZipBatches(batches),
                 .lineage = first.block.lineage.Slice(first.offset, first.rows)};
    if (context_.transforms.empty()) {
      PostTransformed(context_, action.task, std::move(zipped), {});
      return;
    }
    context_.pool.Submit([this, task = action.task, zipped = std::move(zipped)] {
      PostTransformed(context_, task, zipped, {});
    });
  }

 private:
  const RunnerContext context_;
};

}  // namespace

std::unique_ptr<StageRunner> MakeZipRunner(RunnerContext context) {
  return std::make_unique<ZipRunner>(context);
}

}  // namespace penstock
