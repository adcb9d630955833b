#include "penstock/plan/physical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/base/error.h"
#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr MachineResources kMachine{.processors = 4, .gpus = 2};

PhysicalPlan Made(const LogicalPlan& plan) {
  const auto physical = MakePhysicalPlan(plan, kMachine);
  EXPECT_TRUE(physical.ok()) << physical.status();
  return physical.ValueOr(PhysicalPlan{});
}

std::vector<std::string> StageNames(const PhysicalPlan& plan) {
  std::vector<std::string> names;
  for (const Stage& stage : plan.stages) names.push_back(stage.name);
  return names;
}

std::vector<std::string> Transforms(const Stage& stage) { return Names({stage.transforms}); }

TEST(PhysicalPlan, RunsNativeOperatorsOnTheStageBeforeThem) {
  const PhysicalPlan plan = Made(
      {{Read("csv"), Project({"a"}), FilterOp{Greater("a", 1)}, RepartitionOp{4, {}}, DropOp{{"b"}},
        Function(FunctionKind::kRow, "f"), RenameOp{{{"a", "b"}}}, WriteOp{.kind = "parquet"}}});
  ASSERT_THAT(StageNames(plan),
              ElementsAre("Read(csv)", "Repartition(blocks=4)", "Map(f)", "Write(parquet)"));
  EXPECT_THAT(Transforms(plan.stages[0]), ElementsAre("Project(a)", "Filter(a > 1)"));
  EXPECT_THAT(Transforms(plan.stages[1]), ElementsAre("Drop(b)"));
  EXPECT_THAT(Transforms(plan.stages[2]), ElementsAre("Rename(a as b)"));
  EXPECT_EQ(plan.stages[0].kind, StageKind::kRead);
  EXPECT_EQ(plan.stages[1].kind, StageKind::kRegroup);
  EXPECT_EQ(plan.stages[1].repartition->blocks, 4);
  EXPECT_EQ(plan.stages[2].kind, StageKind::kWork);
  EXPECT_EQ(plan.stages[3].kind, StageKind::kWrite);
  EXPECT_EQ(plan.stages[3].write->kind, "parquet");
}

TEST(PhysicalPlan, EndsInACollectWithoutAWrite) {
  const PhysicalPlan plan = Made({{Read("csv")}});
  EXPECT_THAT(StageNames(plan), ElementsAre("Read(csv)", "Collect"));
  EXPECT_EQ(plan.stages[1].kind, StageKind::kCollect);
}

TEST(PhysicalPlan, CombinesTheLastStagesOfItsInputs) {
  const LogicalPlan other{{Read("json"), Function(FunctionKind::kRow, "f")}};
  const LogicalPlan third{{Read("range"), LimitOp{3}}};
  const PhysicalPlan plan =
      Made({{Read("csv"), Combine(CombineKind::kUnion, {other, third}), DropOp{{"a"}}}});
  ASSERT_THAT(StageNames(plan),
              ElementsAre("Read(csv)", "Read(json)", "Map(f)", "Read(range)", "Union", "Collect"));
  EXPECT_THAT(plan.stages[2].inputs, ElementsAre(1));
  EXPECT_THAT(plan.stages[4].inputs, ElementsAre(0, 2, 3));
  EXPECT_THAT(plan.stages[5].inputs, ElementsAre(4));
  EXPECT_EQ(plan.stages[4].kind, StageKind::kRegroup);
  EXPECT_THAT(Transforms(plan.stages[4]), ElementsAre("Drop(a)"));
  const PhysicalPlan zip = Made({{Read("csv"), Combine(CombineKind::kZip, {other})}});
  EXPECT_EQ(zip.stages[3].kind, StageKind::kZip);
}

TEST(PhysicalPlan, LimitsTheStageBefore) {
  const PhysicalPlan plan =
      Made({{Read("csv"), FilterOp{Greater("a", 1)}, LimitOp{5}, Project({"a"}), LimitOp{7},
             Function(FunctionKind::kFlatRow, "f"), LimitOp{3}}});
  EXPECT_THAT(StageNames(plan), ElementsAre("Read(csv)", "FlatMap(f)", "Collect"));
  EXPECT_EQ(plan.stages[0].row_limit, 5);
  EXPECT_THAT(Transforms(plan.stages[0]), ElementsAre("Filter(a > 1)", "Project(a)"));
  EXPECT_EQ(plan.stages[1].row_limit, 3);
}

TEST(PhysicalPlan, FiltersAfterALimitInAStageOfItsOwn) {
  const PhysicalPlan plan =
      Made({{Read("csv"), LimitOp{5}, Project({"a"}), FilterOp{Greater("a", 1)}, LimitOp{2}}});
  ASSERT_THAT(StageNames(plan), ElementsAre("Read(csv)", "PassThrough", "Collect"));
  EXPECT_THAT(Transforms(plan.stages[0]), ElementsAre("Project(a)"));
  EXPECT_EQ(plan.stages[0].row_limit, 5);
  EXPECT_EQ(plan.stages[1].kind, StageKind::kRegroup);
  EXPECT_FALSE(plan.stages[1].repartition->blocks);
  EXPECT_FALSE(plan.stages[1].repartition->rows_per_block);
  EXPECT_THAT(Transforms(plan.stages[1]), ElementsAre("Filter(a > 1)"));
  EXPECT_EQ(plan.stages[1].row_limit, 2);
}

int WorkersFor(const WorkerOptions& options) {
  return Made({{Read(), Function(FunctionKind::kBatches, "f", false, options)}}).stages[1].workers;
}

TEST(PhysicalPlan, StartsAsManyWorkersAsAskedOrProcessors) {
  WorkerOptions options;
  EXPECT_EQ(WorkersFor(options), 4);
  options.stateful = true;
  EXPECT_EQ(WorkersFor(options), 4);
  options.workers_max = 9;
  EXPECT_EQ(WorkersFor(options), 9);
  options.workers_max = 1;
  EXPECT_EQ(WorkersFor(options), 1);
}

std::vector<int> PoolFor(int least, int most, int first) {
  WorkerOptions options;
  options.workers_min = least;
  options.workers_max = most;
  options.workers_initial = first;
  const Stage stage =
      Made({{Read(), Function(FunctionKind::kBatches, "f", false, options)}}).stages[1];
  return {stage.workers_min, stage.workers, stage.workers_initial};
}

TEST(PhysicalPlan, APoolWithoutAMostHasAsManyWorkersAsItsLeastAndItsFirstAskFor) {
  EXPECT_THAT(PoolFor(2, 0, 0), ElementsAre(2, 4, 4)) << "the machine has four processors";
  EXPECT_THAT(PoolFor(6, 0, 0), ElementsAre(6, 6, 6));
  EXPECT_THAT(PoolFor(6, 0, 9), ElementsAre(6, 9, 9));
  EXPECT_THAT(PoolFor(1, 0, 9), ElementsAre(1, 9, 9));
  EXPECT_THAT(PoolFor(1, 0, 2), ElementsAre(1, 4, 2));
}

TEST(PhysicalPlan, StartsNoMoreWorkersThanFit) {
  WorkerOptions options;
  options.processors = 2;
  EXPECT_EQ(WorkersFor(options), 2);
  options.workers_max = 9;
  EXPECT_EQ(WorkersFor(options), 2);
  options.processors = 0;
  EXPECT_EQ(WorkersFor(options), 9);
  options.gpus = 0.5;
  EXPECT_EQ(WorkersFor(options), 4);
  options.gpus = 0.6;
  EXPECT_EQ(WorkersFor(options), 2) << "a share does not reach from one GPU to the next";
  options.gpus = 2;
  EXPECT_EQ(WorkersFor(options), 1);
}

Status PlacingError(const WorkerOptions& options) {
  return MakePhysicalPlan({{Read(), Function(FunctionKind::kBatches, "Model", false, options)}},
                          kMachine)
      .status();
}

TEST(PhysicalPlan, RefusesAWorkerThatTheMachineCannotHold) {
  WorkerOptions processors;
  processors.processors = 16;
  WorkerOptions gpus;
  gpus.gpus = 3;
  for (const auto& [status, resource, amounts] :
       std::vector<std::tuple<Status, std::string, std::string>>{
           {PlacingError(processors), "processors", "at most 4, it is 16"},
           {PlacingError(gpus), "GPUs", "at most 2, it is 3"}}) {
    ASSERT_NE(DetailOf(status), nullptr) << status;
    EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kUnplaceable);
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("MapBatches(Model)"), HasSubstr(resource), HasSubstr(amounts)));
  }
}

TEST(PhysicalPlan, SaysWhereTheMachineHasNoneOfWhatAWorkerAsksFor) {
  WorkerOptions options;
  options.gpus = 0.5;
  MachineResources machine = kMachine;
  machine.gpus = 0;
  const auto plan = MakePhysicalPlan(
      {{Read(), Function(FunctionKind::kBatches, "Model", false, options)}}, machine);
  EXPECT_THAT(
      plan.status().message(),
      HasSubstr("asks for a GPU, and this machine has none; leave out num_gpus, it is 0.5"));
  options.gpus = 0;
  options.resources = {{"licence", 1}};
  EXPECT_THAT(PlacingError(options).message(),
              HasSubstr("asks for a resource, and this machine has none; leave out "
                        "resources={'licence': ...}, it is 1"));
}

TEST(PhysicalPlan, RefusesAPlanThatIsNotValid) {
  EXPECT_TRUE(MakePhysicalPlan({{LimitOp{1}}}, kMachine).status().IsInvalid());
}

TEST(ExplainPlan, ShowsThePlanTheRulesAndTheStages) {
  WorkerOptions options;
  options.workers_max = 2;
  options.batch_rows = 32;
  const auto text = ExplainPlan({{Read("columns"), ProjectOp{{{"a", "a"}, {"b", "c"}}}, LimitOp{10},
                                  Function(FunctionKind::kBatches, "Model", false, options)}},
                                Traits, kMachine);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text,
            "Plan\n"
            "  MapBatches(Model)\n"
            "  +- Limit(10)\n"
            "     +- Project(a, b as c)\n"
            "        +- Read(columns)\n"
            "\n"
            "Rules\n"
            "  push_limit\n"
            "  prune_columns\n"
            "\n"
            "Stages\n"
            "  0 Read(columns, columns=[a, b], row_limit=10), then Project(a, b as c), then the "
            "first 10 rows\n"
            "  1 MapBatches(Model), 2 workers, batches of 32 rows\n"
            "  2 Collect\n");
}

TEST(ExplainPlan, SaysWhenNoRuleApplied) {
  const auto text = ExplainPlan({{Read("plain")}}, Traits, kMachine);
  EXPECT_THAT(*text, HasSubstr("Rules\n  none changed the plan\n"));
}

}  // namespace
}  // namespace penstock::testing
