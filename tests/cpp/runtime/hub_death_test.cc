#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

using ::testing::HasSubstr;

TEST_F(HubTest, RunsATaskAgainWhoseWorkerDied) {
  EXPECT_EQ(Get(Submit("crash_until 2")).bytes, "2");
  EXPECT_EQ(Get(Submit("attempt")).bytes, "0");
}

TEST_F(HubTest, FailsATaskWhoseWorkersDieAgainAndAgain) {
  const PlainValue error =
      Get(Submit("exit 3", {.options = R"({"max_retries": 1, "label": "f"})"}));
  EXPECT_EQ(error.error(), SystemError::kWorkerCrashed);
  EXPECT_EQ(error.text(), "f: its worker process exited with code 3");
}

TEST_F(HubTest, RunsATaskAgainThatRaisedWhatIsToBeRetried) {
  EXPECT_EQ(Get(Submit("retry_until 3")).flags, 0);
  EXPECT_EQ(Get(Submit("retry_until 4")).bytes, "retried");
}

TEST_F(HubTest, FailsATaskWhoseWorkersCannotStart) {
  const std::string options = R"({"env_vars": {"EXIT_AT_START": "5"}})";
  const PlainValue error = Get(Submit("echo", {.options = options}));
  EXPECT_EQ(error.error(), SystemError::kEnvironment);
  EXPECT_THAT(error.text(), HasSubstr("exited with code 5"));
  EXPECT_EQ(Get(Submit("echo others work")).bytes, "others work");
}

TEST_F(HubTest, KillsAWorkerThatBreaksTheProtocol) {
  const PlainValue error = Get(Submit("nonsense", {.options = R"({"max_retries": 0})"}));
  EXPECT_EQ(error.error(), SystemError::kWorkerCrashed);
  EXPECT_THAT(error.text(), HasSubstr("was killed because it sent a message of"));
}

TEST_F(HubTest, FailsATaskThatReturnsTheWrongNumberOfValues) {
  EXPECT_EQ(Get(Submit("wrong_count")).error(), SystemError::kWorkerCrashed);
}

TEST_F(HubTest, KillsItsWorkersWhenItEnds) {
  const pid_t process = std::stoi(Get(Submit("process")).bytes);
  EXPECT_EQ(::kill(process, 0), 0);
  client_.reset();
  hub_.reset();
  EXPECT_EQ(::kill(process, 0), -1);
}

TEST_F(HubTest, RunsTasksInTheEnvironmentThatTheyAskFor) {
  const auto with = [](const std::string& value) {
    return R"({"env_vars": {"COLOUR": ")" + value + R"("}})";
  };
  EXPECT_EQ(Get(Submit("variable COLOUR", {.options = with("red")})).bytes, "red");
  EXPECT_EQ(Get(Submit("variable COLOUR", {.options = with("blue")})).bytes, "blue");
  EXPECT_EQ(Get(Submit("variable COLOUR")).bytes, "");
  const std::string process = Get(Submit("process", {.options = with("red")})).bytes;
  EXPECT_EQ(Get(Submit("process", {.options = with("red")})).bytes, process);
}

TEST_F(HubTest, NamesTheLinesThatWorkersPrintAfterWhatTheyRun) {
  const auto lines = std::make_shared<WorkerLines>();
  StartHub({.processors = 1, .worker_lines = lines});
  Get(Submit("print a", {.options = R"({"label": "f"})"}));
  Get(Submit("print b", {.options = R"({"label": "g"})"}));
  client_.reset();
  hub_.reset();
  std::vector<std::string> texts;
  for (const WorkerLine& line : lines->TakeAll()) texts.push_back(line.text);
  EXPECT_THAT(texts, ::testing::ElementsAre("(f) a", "(g) b"));
}

TEST_F(HubTest, EndsAWorkerAfterSoManyCallsOfAFunction) {
  const std::string options = R"({"max_calls": 1})";
  const std::string process = Get(Submit("process", {.options = options})).bytes;
  EXPECT_NE(Get(Submit("process", {.options = options})).bytes, process);
}

TEST_F(HubTest, GivesEachGpuTaskItsDevicesAndAFreshWorker) {
  StartHub({.gpus = 2});
  const std::string options = R"({"num_gpus": 1, "num_cpus": 0})";
  const uint64_t holder = MakeActor("build", options);
  Get(CallActor(holder, "state"));
  const std::string device = Get(Submit("devices", {.options = options})).bytes;
  EXPECT_EQ(device.size(), 1);
  EXPECT_EQ(Get(Submit("devices", {.options = options})).bytes, device);
  EXPECT_EQ(Get(Submit("devices", {.options = R"({"num_cpus": 1})"})).bytes, "");
}

TEST_F(HubTest, LetsATaskWaitForOthersOnAMachineOfOneProcessor) {
  StartHub({.processors = 1});
  EXPECT_EQ(Get(Submit("other other echo deep")).bytes, "deep");
}

}  // namespace
}  // namespace penstock::runtime
