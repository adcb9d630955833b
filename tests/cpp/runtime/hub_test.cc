#include <fmt/format.h>

#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(HubTest, ReturnsWhatAFunctionReturns) {
  EXPECT_EQ(Get(Submit("echo hello")).bytes, "hello");
}

TEST_F(HubTest, ReturnsSeveralValues) {
  const uint64_t first = Submit("echo twice", {.returns = 2});
  EXPECT_EQ(Get({first, first + 1}).at(1).bytes, "twice");
}

TEST_F(HubTest, GivesWhatWasPut) { EXPECT_EQ(Get(Put({.bytes = "put"})).bytes, "put"); }

TEST_F(HubTest, GivesATaskTheValuesOfOthersInPlaceOfReferences) {
  const uint64_t first = Submit("echo one");
  const uint64_t second = Put({.bytes = "two"});
  EXPECT_EQ(Get(Submit("given", {.given = {first, second, first}})).bytes, "one;two;one;");
}

TEST_F(HubTest, KeepsALargeValueInOneSegment) {
  const uint64_t large = Submit("large 1000000");
  const PlainValue value = Get(large);
  EXPECT_EQ(value.bytes.size(), 1'000'000);
  EXPECT_TRUE(value.shared);
  EXPECT_EQ(AskFor("counts").at("segment_bytes"), 1'000'000);
  Release(large);
  EXPECT_EQ(CountOnce("segment_bytes", 0), 0);
}

TEST_F(HubTest, TakesAndGivesMessagesLongerThanAPacket) {
  std::vector<uint64_t> ids;
  for (int i = 0; i < 20'000; ++i) ids.push_back(Put({.bytes = std::to_string(i)}));
  const std::vector<PlainValue> values = Get(ids);
  EXPECT_EQ(values.at(19'999).bytes, "19999");
  std::vector<uint64_t> large;
  for (int i = 0; i < 200; ++i) {
    large.push_back(
        Put({.bytes = std::string(20'000, static_cast<char>('a' + i % 26)), .shared = true}));
  }
  EXPECT_EQ(Get(Submit("given", {.given = large})).bytes.size(), 200 * 20'001);
}

TEST_F(HubTest, TellsWhichObjectsAreReady) {
  const uint64_t never = Submit("pause");
  const uint64_t put = Put({.bytes = "put"});
  const uint64_t soon = Submit("echo soon");
  EXPECT_THAT(Wait({never, put, soon}, 2), ElementsAre(1, 2));
}

TEST_F(HubTest, AnswersAWaitThatIsInAHurryWithWhatIsReady) {
  const uint64_t never = Submit("pause");
  const uint64_t put = Put({.bytes = "put"});
  const uint64_t request = Ask(MessageKind::kWait, {never, put}, 2);
  MessageWriter hurry(MessageKind::kHurry);
  hurry.Number(request);
  client_->Send(hurry);
  EXPECT_THAT(AwaitReady(), ElementsAre(1));
}

TEST_F(HubTest, FreesWhatNobodyRefersTo) {
  const uint64_t inner = Put({.bytes = "inner"});
  const uint64_t outer = Put({.bytes = "outer", .contained = {inner}});
  Release(inner);
  EXPECT_EQ(Get(inner).bytes, "inner");
  Release(outer);
  const auto lost = Get(inner);
  EXPECT_EQ(lost.error(), SystemError::kObjectLost);
  EXPECT_THAT(lost.text(), HasSubstr(fmt::format("The object {:016x} is not kept", inner)));
  EXPECT_EQ(CountOnce("objects", 0), 0);
}

TEST_F(HubTest, KeepsWhatATaskIsGivenUntilItsEnd) {
  const uint64_t slow = Submit("echo slow");
  const uint64_t given = Put({.bytes = "given"});
  const uint64_t result = Submit("given", {.given = {slow, given}});
  Release(given);
  Release(slow);
  EXPECT_EQ(Get(result).bytes, "slow;given;");
  Release(result);
  EXPECT_EQ(CountOnce("objects", 0), 0);
  EXPECT_EQ(CountOnce("tasks", 0), 0);
}

TEST_F(HubTest, LetsGoOfWhatAClientHeldWhenItCloses) {
  Put({.bytes = "put"});
  Put({.bytes = std::string(20'000, 'x'), .shared = true});
  EXPECT_EQ(CountOnce("objects", 2), 2);
  client_ = Connect();
  EXPECT_EQ(CountOnce("objects", 0), 0);
  EXPECT_EQ(CountOnce("segment_bytes", 0), 0);
}

TEST_F(HubTest, PassesOnWhatAFunctionRaised) {
  const PlainValue error = Get(Submit("fail it raised"));
  EXPECT_EQ(error.flags, kIsError);
  EXPECT_EQ(error.bytes, "it raised");
}

TEST_F(HubTest, SaysAtOnceWhatCanNeverRun) {
  const PlainValue gpu = Get(Submit("echo", {.options = R"({"num_gpus": 1, "label": "f"})"}));
  EXPECT_EQ(gpu.error(), SystemError::kUnplaceable);
  EXPECT_EQ(gpu.text(), "f asks for 1 GPUs, and there are none");
  const PlainValue cpu = Get(Submit("echo", {.options = R"({"num_cpus": 3})"}));
  EXPECT_EQ(cpu.text(), "a task asks for 3 CPUs, and there are 2");
  const PlainValue own = Get(Submit("echo", {.options = R"({"resources": {"disk": 1}})"}));
  EXPECT_EQ(own.text(), "a task asks for 1 of 'disk', and there are none");
  const uint64_t actor = MakeActor("build", R"({"num_gpus": 1})");
  EXPECT_EQ(Get(CallActor(actor, "state")).error(), SystemError::kUnplaceable);
}

TEST_F(HubTest, AnswersWhatThereIsAndWhatIsFree) {
  EXPECT_EQ(AskFor("resources").at("CPU"), 2);
  EXPECT_EQ(AskFor("available").at("CPU"), 2);
  const uint64_t actor = MakeActor("build", R"({"num_cpus": 1.5})");
  Get(CallActor(actor, "state"));
  EXPECT_EQ(AskFor("available").at("CPU"), 0.5);
  EXPECT_EQ(AskFor("nodes").size(), 1);
}

TEST_F(HubTest, RunsMoreTasksThanItHasWorkers) {
  std::vector<uint64_t> ids;
  for (int i = 0; i < 1'000; ++i) ids.push_back(Submit("echo " + std::to_string(i)));
  const std::vector<PlainValue> values = Get(ids);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(values[i].bytes, std::to_string(i));
  EXPECT_EQ(AskFor("counts").at("workers"), 2);
}

TEST_F(HubTest, CutsOffAClientThatBreaksTheProtocol) {
  client_->SendBytes("nonsense that is no message");
  EXPECT_FALSE(client_->Receive().has_value());
  client_ = Connect();
  EXPECT_EQ(Get(Submit("echo still there")).bytes, "still there");
}

}  // namespace
}  // namespace penstock::runtime
