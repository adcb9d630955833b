#include "penstock/plan/memory_reads.h"

#include <functional>
#include <utility>

namespace penstock {
namespace {

/// Calls `visit` for each read from memory. Plans below a CombineOp are shared, so copies of them
/// take their places.
void VisitMemoryReads(LogicalPlan* plan, const std::function<void(ReadOp&)>& visit) {
  for (LogicalOp& op : plan->ops) {
    if (auto* read = std::get_if<ReadOp>(&op); read != nullptr && read->kind == "memory") {
      visit(*read);
    }
    auto* combine = std::get_if<CombineOp>(&op);
    if (combine == nullptr) continue;
    for (std::shared_ptr<const LogicalPlan>& other : combine->others) {
      LogicalPlan copy = *other;
      VisitMemoryReads(&copy, visit);
      other = std::make_shared<const LogicalPlan>(std::move(copy));
    }
  }
}

}  // namespace

std::vector<MemoryBatches> TakeMemory(LogicalPlan* plan) {
  std::vector<MemoryBatches> taken;
  VisitMemoryReads(plan, [&](ReadOp& read) { taken.push_back(std::exchange(read.batches, {})); });
  return taken;
}

Status GiveMemory(std::vector<MemoryBatches> memory, LogicalPlan* plan) {
  size_t reads = 0;
  VisitMemoryReads(plan, [&](ReadOp& read) {
    if (reads < memory.size()) read.batches = std::move(memory[reads]);
    ++reads;
  });
  if (reads == memory.size()) return Status::OK();
  return Status::Invalid("The plan reads from memory at ", reads, " places; got: ", memory.size());
}

}  // namespace penstock
