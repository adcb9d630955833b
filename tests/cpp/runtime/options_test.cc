#include "penstock/runtime/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

class OptionReaderTest : public ::testing::Test {
 protected:
  TaskOptions Read(const std::string& text, TaskKind kind = TaskKind::kFunction) {
    return **reader_.Read(kind, text);
  }

  const std::unique_ptr<Scheduler> scheduler_ =
      Scheduler::Make({.resources = {4, 1, 1000, 2}, .starting_max = 1, .idle_kept = 1});
  OptionReader reader_{{{"CPU", 4}, {"GPU", 1}, {"memory", 1000}, {"disk", 2}}, *scheduler_};
};

TEST_F(OptionReaderTest, TakesRaysDefaultsForWhatIsNotGiven) {
  const TaskOptions function = Read("");
  EXPECT_EQ(function.max_retries, 3);
  EXPECT_EQ(function.shape, Read(R"({"num_cpus": 1})").shape);
  const TaskOptions actor = Read("", TaskKind::kConstructor);
  EXPECT_EQ(actor.shape, Read(R"({"num_cpus": 0})").shape);
  EXPECT_TRUE(actor.actor.in_order);
  EXPECT_EQ(actor.actor.max_pending_calls, -1);
}

TEST_F(OptionReaderTest, NamesWhatThereIsTooLittleOf) {
  EXPECT_EQ(Read(R"({"resources": {"disk": 3}})").unplaceable,
            "asks for 3 of 'disk', and there are 2");
  EXPECT_EQ(Read(R"({"memory": 2000})").unplaceable,
            "asks for 2000 of 'memory', and there are 1000");
  EXPECT_EQ(Read(R"({"resources": {"disk": 2}, "num_gpus": 0.5})").unplaceable, "");
}

TEST_F(OptionReaderTest, TellsShapesApartByNeedsAndEnvironment) {
  const ShapeNumber plain = Read("").shape;
  EXPECT_NE(Read(R"({"num_cpus": 2})").shape, plain);
  EXPECT_NE(Read(R"({"env_vars": {"A": "1"}})").shape, plain);
  EXPECT_NE(Read(R"({"working_dir": "x"})").shape, plain);
  EXPECT_EQ(Read(R"({"name": "other"})").shape, plain);
}

TEST_F(OptionReaderTest, EndsTheWorkerOfAGpuTaskUnlessToldOtherwise) {
  EXPECT_EQ(Read(R"({"num_gpus": 1})").max_calls, 1);
  EXPECT_EQ(Read(R"({"num_gpus": 1, "max_calls": 0})").max_calls, 0);
}

TEST_F(OptionReaderTest, RunsCallsAsTheyComeWhereAnActorRunsSeveral) {
  const auto in_order = [&](const char* text) {
    return Read(text, TaskKind::kConstructor).actor.in_order;
  };
  EXPECT_FALSE(in_order(R"({"is_async": true})"));
  EXPECT_FALSE(in_order(R"({"max_concurrency": 2})"));
  EXPECT_FALSE(in_order(R"({"concurrency_groups": {"io": 1}})"));
}

TEST_F(OptionReaderTest, TakesNoNumberThatWouldDoHarm) {
  EXPECT_EQ(Read(R"({"num_cpus": -5})").shape, Read(R"({"num_cpus": 0})").shape);
  EXPECT_EQ(Read(R"({"max_retries": -7})").max_retries, -1);
  EXPECT_GT(Read(R"({"max_retries": 1e300})").max_retries, 0);
  EXPECT_EQ(Read(R"({"max_concurrency": -7})", TaskKind::kConstructor).actor.max_concurrency, 1);
}

TEST_F(OptionReaderTest, RefusesWhatIsNoObject) {
  EXPECT_FALSE(reader_.Read(TaskKind::kFunction, "[]").ok());
  EXPECT_FALSE(reader_.Read(TaskKind::kFunction, "{").ok());
}

}  // namespace
}  // namespace penstock::runtime
