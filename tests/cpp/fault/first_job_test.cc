// What holds for the first job of a process alone: in one of its own.
#include <arrow/compute/function.h>
#include <arrow/compute/registry.h>
#include <arrow/compute/type_fwd.h>
#include <gtest/gtest.h>

#include "fault/cut_off_jobs.h"
#include "penstock/exec/pipeline.h"

namespace penstock {
namespace {

bool HasFunction(const std::string& name) {
  return arrow::compute::GetFunctionRegistry()->GetFunction(name).ok();
}

TEST(FirstJob, FindsAllFunctionsThereBeforeItsThreadsBegin) {
  const Ended ended = RunForked([] {
    if (HasFunction("map_keys") || HasFunction("utf8_upper")) {
      return Status::Invalid("The functions are there before: the test cannot fail");
    }
    LogicalPlan plan{.ops = {ReadOp{.kind = "range", .options = {{"count", 1}}}}};
    PENSTOCK_TRY(const auto pipeline, Pipeline::Start(plan, {}));
    const bool all = HasFunction("map_keys") && HasFunction("utf8_upper");
    return all ? Status::OK() : Status::Invalid("Functions are missing");
  });
  EXPECT_FALSE(ended.failed) << ended.why;
}

}  // namespace
}  // namespace penstock
