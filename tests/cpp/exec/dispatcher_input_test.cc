#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DispatcherLimits Unordered() {
  DispatcherLimits limits = AmpleLimits();
  limits.preserve_order = false;
  return limits;
}

TEST(DispatcherInputTest, EachReadIsListedForItself) {
  DispatcherScript job({ReadStage(), ReadStage(), UnionStage({0, 1}), CollectStage()},
                       AmpleLimits());
  EXPECT_THAT(job.Start(), ElementsAre("list 1024", "list 1024 of 1"));
  EXPECT_THAT(job.List({9}, true, 1), ElementsAre("start 1/0"));
  EXPECT_THAT(job.List({0}), ElementsAre("start 0/0"));
}

TEST(DispatcherInputTest, AUnionInOrderTakesTheSecondInputAfterTheFirst) {
  DispatcherScript job({ReadStage(), ReadStage(), UnionStage({0, 1}), CollectStage()},
                       AmpleLimits());
  job.Start();
  job.List({0});
  job.List({9}, true, 1);
  EXPECT_THAT(job.Done(1, 0, 7, 3), IsEmpty());
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("start 2/0 [1:0+5]"));
  EXPECT_THAT(job.Done(2, 0, 2, 5), ElementsAre("drop 1", "emit 2:0+5", "start 2/1 [7:0+3]"));
}

TEST(DispatcherInputTest, AUnionWithoutOrderTakesWhatComesFirst) {
  DispatcherScript job({ReadStage(), ReadStage(), UnionStage({0, 1}), CollectStage()}, Unordered());
  job.Start();
  job.List({0});
  job.List({9}, true, 1);
  EXPECT_THAT(job.Done(1, 0, 7, 3, 9), ElementsAre("start 2/0 [7:0+3]"));
}

TEST(DispatcherInputTest, AnInputThatIsNotWantedYetKeepsToItsShareOfTheBudget) {
  const auto used = [](bool preserve_order) {
    DispatcherLimits limits{.budget_bytes = 120, .native_threads = 8};
    limits.preserve_order = preserve_order;
    DispatcherScript job({ReadStage(), ReadStage(8), UnionStage({0, 1}), CollectStage()}, limits);
    job.Start();
    job.List(std::vector<int64_t>(20), true, 1);
    return job.TakeSnapshot().used_bytes;
  };
  EXPECT_EQ(used(false), 80) << "its share of 20 and the common 60";
  EXPECT_EQ(used(true), 20);
}

TEST(DispatcherInputTest, ALimitOnAUnionEndsAllInputs) {
  StageLimits limited = UnionStage({0, 1});
  limited.row_limit = 5;
  DispatcherScript job({ReadStage(), ReadStage(), limited, CollectStage()}, AmpleLimits());
  job.Start();
  job.List({0});
  job.List({9}, true, 1);
  job.Done(0, 0, 1, 5);
  EXPECT_THAT(job.Done(2, 0, 2, 5), ElementsAre("abandon 1/0", "drop 1", "emit 2:0+5"));
}

TEST(DispatcherInputTest, AZipTakesTheSameRowsOfEachInput) {
  DispatcherScript job({ReadStage(), ReadStage(), ZipStage({0, 1}), CollectStage()}, AmpleLimits());
  job.Start();
  job.List({0});
  job.List({9, 9}, true, 1);
  EXPECT_THAT(job.Done(0, 0, 1, 5), IsEmpty());
  EXPECT_THAT(job.Done(1, 0, 7, 3), ElementsAre("start 2/0 [1:0+3 7:0+3]", "start 1/1"));
  EXPECT_THAT(job.Done(1, 1, 8, 2), IsEmpty());
  EXPECT_THAT(job.Done(2, 0, 2, 3), ElementsAre("drop 7", "emit 2:0+3", "start 2/1 [1:3+2 8:0+2]"));
}

TEST(DispatcherInputTest, AZipOfUnequalInputsFailsAndSaysWhichIsLonger) {
  DispatcherScript job({ReadStage(), ReadStage(), ZipStage({0, 1}), CollectStage()}, AmpleLimits());
  job.Start();
  job.List({0});
  job.List({9}, true, 1);
  job.Done(1, 0, 7, 3);
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("input 1 has more than 3 rows"));
}

TEST(DispatcherInputTest, StagesThatMakeNoTreeAreRefusedByName) {
  const auto refusal = [](std::vector<StageLimits> stages, const DispatcherLimits& limits) {
    return Dispatcher::Make(std::move(stages), limits).status().message();
  };
  const std::vector<StageLimits> reads = {ReadStage(), ReadStage()};
  EXPECT_THAT(refusal({reads[0], reads[1], UnionStage({1, 0}), CollectStage()}, AmpleLimits()),
              HasSubstr("right before it"));
  EXPECT_THAT(refusal({reads[0], reads[1], UnionStage({1}), CollectStage()}, AmpleLimits()),
              HasSubstr("do not lead to it"));
  EXPECT_THAT(refusal({reads[0], reads[1], UnionStage({-1, 1}), CollectStage()}, AmpleLimits()),
              HasSubstr("right before it"));
  EXPECT_THAT(refusal({reads[0], reads[1], ZipStage({0, 1}), CollectStage()}, Unordered()),
              HasSubstr("needs preserve_order"));
  StageLimits collect = CollectStage();
  collect.inputs = {0, 1};
  EXPECT_THAT(refusal({reads[0], reads[1], collect}, AmpleLimits()), HasSubstr("this many inputs"));
}

}  // namespace
}  // namespace penstock
