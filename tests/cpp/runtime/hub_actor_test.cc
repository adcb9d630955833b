#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

using ::testing::HasSubstr;

TEST_F(HubTest, RunsAnActorsCallsInOrderOnWhatItsConstructorMade) {
  const uint64_t actor = MakeActor("build a");
  CallActor(actor, "append b");
  EXPECT_EQ(Get(CallActor(actor, "append c")).bytes, "abc");
}

TEST_F(HubTest, KeepsTheOrderOfCallsThatWaitForObjects) {
  const uint64_t actor = MakeActor("build");
  const uint64_t slow = Submit("echo slow");
  CallActor(actor, "append a", {.given = {slow}});
  EXPECT_EQ(Get(CallActor(actor, "append b")).bytes, "ab");
}

TEST_F(HubTest, RunsCallsThatWaitForNothingFirstWhereAnActorRunsSeveral) {
  const uint64_t actor = MakeActor("build", R"({"max_concurrency": 2})");
  const uint64_t never = Submit("pause");
  CallActor(actor, "append a", {.given = {never}});
  EXPECT_EQ(Get(CallActor(actor, "append b")).bytes, "b");
}

TEST_F(HubTest, EndsAnActorWithItsLastHandleAfterItsCalls) {
  const uint64_t actor = MakeActor("build a");
  const uint64_t answer = CallActor(actor, "append b");
  Release(actor);
  EXPECT_EQ(Get(answer).bytes, "ab");
  EXPECT_EQ(CountOnce("actors", 0), 0);
  EXPECT_EQ(Get(CallActor(actor, "state")).error(), SystemError::kActorDied);
}

TEST_F(HubTest, FailsCallsOfAnActorThatDied) {
  const uint64_t actor = MakeActor("build", R"({"label": "Model"})");
  const PlainValue first = Get(CallActor(actor, "exit 4"));
  EXPECT_EQ(first.error(), SystemError::kActorDied);
  EXPECT_EQ(first.text(), "Model.method: the actor exited with code 4");
  EXPECT_EQ(Get(CallActor(actor, "state")).error(), SystemError::kActorDied);
}

TEST_F(HubTest, PassesOnWhatAConstructorRaisedToEachCall) {
  const uint64_t actor = MakeActor("fail no weights");
  const PlainValue error = Get(CallActor(actor, "state"));
  EXPECT_EQ(error.flags, kIsError | kIsConstructorError);
  EXPECT_EQ(error.bytes, "no weights");
  EXPECT_EQ(Get(CallActor(actor, "state")).bytes, "no weights");
}

TEST_F(HubTest, RestartsAnActorThatDiedWithItsConstructorsArguments) {
  const uint64_t actor = MakeActor("build a", R"({"max_restarts": 1})");
  CallActor(actor, "append b");
  EXPECT_EQ(Get(CallActor(actor, "exit 1")).error(), SystemError::kActorUnavailable);
  EXPECT_EQ(Get(CallActor(actor, "state")).bytes, "a");
  EXPECT_EQ(Get(CallActor(actor, "exit 1")).error(), SystemError::kActorDied);
}

TEST_F(HubTest, RepeatsCallsInFlightAsOftenAsTheActorSays) {
  const uint64_t actor = MakeActor("build a", R"({"max_restarts": -1, "max_task_retries": 1})");
  const uint64_t crashed = CallActor(actor, "crash_first");
  const uint64_t next = CallActor(actor, "append b");
  EXPECT_EQ(Get(crashed).bytes, "a");
  EXPECT_EQ(Get(next).bytes, "ab");
}

TEST_F(HubTest, KillsAnActorAndFailsItsCalls) {
  const uint64_t actor = MakeActor("build", R"({"max_restarts": 5})");
  Get(CallActor(actor, "state"));
  const uint64_t open = CallActor(actor, "pause");
  Kill(actor);
  EXPECT_EQ(Get(open).error(), SystemError::kActorDied);
  EXPECT_EQ(Get(CallActor(actor, "state")).error(), SystemError::kActorDied);
}

TEST_F(HubTest, RestartsAnActorThatIsKilledAndMayBe) {
  const uint64_t actor = MakeActor("build a", R"({"max_restarts": 5})");
  const std::string process = Get(CallActor(actor, "process")).bytes;
  Kill(actor, true);
  EXPECT_EQ(Get(CallActor(actor, "state")).bytes, "a");
  EXPECT_NE(Get(CallActor(actor, "process")).bytes, process);
}

TEST_F(HubTest, EndsAnActorThatLeaves) {
  const uint64_t actor = MakeActor("build", R"({"max_restarts": 5})");
  EXPECT_THAT(Get(CallActor(actor, "leave")).text(), HasSubstr("ended itself"));
  EXPECT_EQ(Get(CallActor(actor, "state")).error(), SystemError::kActorDied);
}

TEST_F(HubTest, FailsCallsBeyondWhatMayBePending) {
  const uint64_t actor = MakeActor("build", R"({"max_pending_calls": 1})");
  CallActor(actor, "pause");
  EXPECT_EQ(Get(CallActor(actor, "state")).error(), SystemError::kPendingCallsLimit);
}

TEST_F(HubTest, FindsAnActorByItsName) {
  const std::string options = R"({"name": "x", "namespace": "space"})";
  const uint64_t actor = MakeActor("build a", options, 100);
  EXPECT_EQ(AwaitActor().actor, actor);
  const Found found = FindActor("x");
  EXPECT_EQ(found.actor, actor);
  EXPECT_EQ(found.options, options);
  EXPECT_EQ(FindActor("y").actor, 0);
  Kill(actor);
  Get(CallActor(actor, "state"));
  EXPECT_EQ(FindActor("x").actor, 0);
}

TEST_F(HubTest, RefusesANameThatIsTakenUnlessTheActorMayExist) {
  const std::string options = R"({"name": "x", "namespace": "space")";
  const uint64_t actor = MakeActor("build a", options + "}", 100);
  AwaitActor();
  MakeActor("build b", options + "}", 101);
  const Found refused = AwaitActor();
  EXPECT_EQ(refused.actor, 0);
  EXPECT_THAT(refused.error, HasSubstr("already taken"));
  MakeActor("build c", options + R"(, "get_if_exists": true})", 102);
  EXPECT_EQ(AwaitActor().actor, actor);
  EXPECT_EQ(Get(CallActor(actor, "state")).bytes, "a");
}

TEST_F(HubTest, KeepsADetachedActorWithoutAHandle) {
  const std::string options = R"({"name": "x", "namespace": "space", "detached": true})";
  const uint64_t actor = MakeActor("build a", options, 100);
  AwaitActor();
  client_ = Connect();
  EXPECT_EQ(CountOnce("clients", 2), 2);
  EXPECT_EQ(FindActor("x").actor, actor);
  EXPECT_EQ(Get(CallActor(actor, "state")).bytes, "a");
}

}  // namespace
}  // namespace penstock::runtime
