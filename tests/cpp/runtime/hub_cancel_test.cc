#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

TEST_F(HubTest, CancelsATaskThatWaits) {
  StartHub({.processors = 1});
  const uint64_t running = Submit("pause");
  const uint64_t queued = Submit("echo");
  const uint64_t waiting = Submit("given", {.given = {queued}});
  Cancel(waiting);
  EXPECT_EQ(Get(waiting).error(), SystemError::kCancelled);
  Cancel(queued);
  EXPECT_EQ(Get(queued).error(), SystemError::kCancelled);
  Cancel(running);
  EXPECT_EQ(Get(running).error(), SystemError::kCancelled);
  EXPECT_EQ(Get(Submit("echo")).flags, 0);
}

TEST_F(HubTest, KillsTheWorkerOfATaskThatIsCancelledByForce) {
  const uint64_t task = Submit("pause");
  const std::string process = Get(Submit("process")).bytes;
  Cancel(task, kForce);
  EXPECT_EQ(Get(task).error(), SystemError::kCancelled);
}

TEST_F(HubTest, CancelsWhatATaskHasSubmitted) {
  const uint64_t outer = Submit("other pause");
  EXPECT_EQ(CountOnce("tasks", 2), 2);
  Cancel(outer, kForce | kRecursive);
  EXPECT_EQ(Get(outer).error(), SystemError::kCancelled);
  EXPECT_EQ(CountOnce("tasks", 0), 0);
}

TEST_F(HubTest, LeavesATaskAloneThatIsOver) {
  const uint64_t task = Submit("echo done");
  Get(task);
  Cancel(task, kForce);
  EXPECT_EQ(Get(task).bytes, "done");
}

TEST_F(HubTest, CancelsAnActorsCallAndNoOther) {
  const uint64_t actor = MakeActor("build a");
  const uint64_t running = CallActor(actor, "pause");
  const uint64_t never = Submit("pause");
  const uint64_t waiting = CallActor(actor, "state", {.given = {never}});
  const uint64_t last = CallActor(actor, "append b");
  Cancel(waiting);
  EXPECT_EQ(Get(waiting).error(), SystemError::kCancelled);
  Get(Submit("echo"));
  Cancel(running);
  EXPECT_EQ(Get(running).error(), SystemError::kCancelled);
  EXPECT_EQ(Get(last).bytes, "ab");
}

TEST_F(HubTest, RefusesToCancelAnActorsCallByForce) {
  const uint64_t actor = MakeActor("build a", R"({"label": "Cell"})");
  const uint64_t running = CallActor(actor, "pause");
  EXPECT_THAT(CancelAndHear(running, kForce), ::testing::HasSubstr("cancel Cell.method without"));
  EXPECT_EQ(CancelAndHear(running, 0), "");
  EXPECT_EQ(Get(running).error(), SystemError::kCancelled);
  EXPECT_EQ(CancelAndHear(running, kForce), "");  // It has ended.
}

}  // namespace
}  // namespace penstock::runtime
