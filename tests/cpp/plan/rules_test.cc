#include "penstock/plan/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Columns = std::vector<std::string>;

/// Expects that the rule turns the plan into one of these operators.
void ExpectRewritten(const std::string& rule, LogicalPlan plan,
                     const std::vector<std::string>& names) {
  EXPECT_TRUE(ApplyRule(rule, plan)) << PlanText(plan);
  EXPECT_EQ(Names(plan), names);
  EXPECT_FALSE(ApplyRule(rule, plan)) << "not at rest: " << PlanText(plan);
}

void ExpectLeftAlone(const std::string& rule, const LogicalPlan& plan) {
  LogicalPlan rewritten = plan;
  EXPECT_FALSE(ApplyRule(rule, rewritten)) << PlanText(plan);
  EXPECT_EQ(PlanText(rewritten), PlanText(plan));
}

// ---- fuse_rows ---------------------------------------------------------------------------------

TEST(FuseRows, JoinsNeighbouringRowFunctions) {
  ExpectRewritten(
      "fuse_rows",
      {{Read(), Function(FunctionKind::kRow, "f"), Function(FunctionKind::kFlatRow, "g"),
        Function(FunctionKind::kFilterRow, "h"), LimitOp{3}, Function(FunctionKind::kRow, "i")}},
      {"Read(plain)", "Map(f)->FlatMap(g)->Filter(h)", "Limit(3)", "Map(i)"});
}

TEST(FuseRows, LeavesFunctionsOfBatchesAlone) {
  ExpectLeftAlone("fuse_rows", {{Read(), Function(FunctionKind::kRow, "f"),
                                 Function(FunctionKind::kBatches, "g", true),
                                 Function(FunctionKind::kRow, "h")}});
}

TEST(FuseRows, LeavesStatefulFunctionsAlone) {
  WorkerOptions stateful;
  stateful.stateful = true;
  ExpectLeftAlone("fuse_rows", {{Read(), Function(FunctionKind::kRow, "f", false, stateful),
                                 Function(FunctionKind::kRow, "g", false, stateful)}});
}

TEST(FuseRows, LeavesUnequalWorkersAlone) {
  WorkerOptions with_gpu;
  with_gpu.gpus = 1;
  ExpectLeftAlone("fuse_rows", {{Read(), Function(FunctionKind::kRow, "f"),
                                 Function(FunctionKind::kRow, "g", false, with_gpu)}});
}

// ---- push_limit --------------------------------------------------------------------------------

TEST(PushLimit, CutsEveryInputOfAUnion) {
  const LogicalPlan other{{Read("csv")}};
  LogicalPlan plan{
      {Read(), Combine(CombineKind::kUnion, {other, {{Read("json"), LimitOp{2}}}}), LimitOp{5}}};
  plan = Rewrite(plan, Traits).plan;
  EXPECT_EQ(PlanText(plan),
            "Limit(5)\n"
            "+- Union\n"
            "   +- Limit(5)\n"
            "      +- Read(plain, row_limit=5)\n"
            "   +- Limit(5)\n"
            "      +- Read(csv, row_limit=5)\n"
            "   +- Limit(2)\n"
            "      +- Read(json, row_limit=2)");
}

TEST(PushLimit, SinksBelowWhatKeepsRowsAndTellsTheReader) {
  LogicalPlan plan{{Read(), Project({"a"}), DropOp{{"b"}}, RenameOp{{{"a", "c"}}},
                    Function(FunctionKind::kRow, "f"), Function(FunctionKind::kBatches, "g", true),
                    RepartitionOp{{}, 10}, LimitOp{5}}};
  EXPECT_TRUE(ApplyRule("push_limit", plan));
  EXPECT_THAT(Names(plan),
              ElementsAre("Read(plain)", "Limit(5)", "Project(a)", "Drop(b)", "Rename(a as c)",
                          "Map(f)", "MapBatches(g)", "Repartition(rows_per_block=10)"));
  EXPECT_EQ(ReadOf(plan).row_limit, 5);
  EXPECT_FALSE(ApplyRule("push_limit", plan));
}

TEST(PushLimit, StaysAboveWhatChangesTheNumberOfRows) {
  FunctionsOp map_and_filter = Function(FunctionKind::kRow, "f");
  map_and_filter.functions.push_back(Function(FunctionKind::kFilterRow, "g").functions[0]);
  for (const LogicalOp& op : std::vector<LogicalOp>{
           Function(FunctionKind::kFlatRow, "f"), Function(FunctionKind::kFlatRow, "f", true),
           Function(FunctionKind::kFilterRow, "f"), Function(FunctionKind::kBatches, "f"),
           map_and_filter, FilterOp{Greater("a", 1)}}) {
    ExpectLeftAlone("push_limit", {{Read(), op, LimitOp{5}}});
  }
}

TEST(PushLimit, PassesARepartitionIntoBlocksOnlyWhereNoFunctionSeesThem) {
  ExpectRewritten("push_limit", {{Read(), RepartitionOp{4, {}}, LimitOp{5}, Project({"a"})}},
                  {"Read(plain)", "Limit(5)", "Repartition(blocks=4)", "Project(a)"});
  ExpectLeftAlone("push_limit", {{Read(), RepartitionOp{4, {}}, LimitOp{5},
                                  Function(FunctionKind::kBatches, "f")}});
}

TEST(PushLimit, PassesAssignments) {
  ExpectRewritten("push_limit", {{Read(), AssignOp{{{"n", Column("a")}}}, LimitOp{5}}},
                  {"Read(plain)", "Limit(5)", "Assign(n = a)"});
}

TEST(PushLimit, MergesToTheSmaller) {
  ExpectRewritten("push_limit", {{Read(), LimitOp{5}, Project({"a"}), LimitOp{3}}},
                  {"Read(plain)", "Limit(3)", "Project(a)"});
  ExpectRewritten("push_limit", {{Read(), LimitOp{3}, LimitOp{5}}}, {"Read(plain)", "Limit(3)"});
}

TEST(PushLimit, DoesNotTellAReaderThatFilters) {
  ReadOp read = Read();
  read.filter = Greater("a", 1);
  ExpectLeftAlone("push_limit", {{read, LimitOp{5}}});
}

TEST(PushLimit, DoesNotTellAReaderWhoseSplitsAreTheBlocksWanted) {
  ReadOp read = Read("cuts");
  read.splits = 4;
  ExpectLeftAlone("push_limit", {{read, LimitOp{5}}});
  read.kind = "columns";
  LogicalPlan wish{{read, LimitOp{5}}};
  EXPECT_TRUE(ApplyRule("push_limit", wish));
}

// ---- push_filter -------------------------------------------------------------------------------

TEST(PushFilter, SinksBelowColumnOperatorsWithItsColumnsRenamedBack) {
  LogicalPlan plan{{Read(), ProjectOp{{{"x", "a"}, {"y", "b"}}}, RenameOp{{{"a", "b"}, {"b", "a"}}},
                    DropOp{{"b"}}, FilterOp{Greater("a", 1)}}};
  EXPECT_TRUE(ApplyRule("push_filter", plan));
  EXPECT_THAT(Names(plan), ElementsAre("Read(plain)", "Filter(y > 1)", "Project(x as a, y as b)",
                                       "Rename(a as b, b as a)", "Drop(b)"));
}

TEST(PushFilter, SinksBelowAssignmentsOfOtherColumnsAlone) {
  const AssignOp assign{{{"n", Greater("a", 1)}, {"m", Column("b")}}};
  ExpectRewritten("push_filter", {{Read(), assign, FilterOp{Greater("a", 1)}}},
                  {"Read(plain)", "Filter(a > 1)", "Assign(n = (a > 1), m = b)"});
  ExpectLeftAlone("push_filter", {{Read("exact"), assign, FilterOp{Greater("m", 1)}}});
}

TEST(PushFilter, StaysAboveColumnsThatAreTakenAway) {
  ExpectLeftAlone("push_filter", {{Read("exact"), Project({"b"}), FilterOp{Greater("a", 1)}}});
  ExpectLeftAlone("push_filter", {{Read("exact"), DropOp{{"a"}}, FilterOp{Greater("a", 1)}}});
  ExpectLeftAlone("push_filter",
                  {{Read("exact"), RenameOp{{{"a", "b"}}}, FilterOp{Greater("a", 1)}}});
}

TEST(PushFilter, StaysAboveFunctionsLimitsAndRepartitions) {
  for (const LogicalOp& op : std::vector<LogicalOp>{
           Function(FunctionKind::kRow, "f"), Function(FunctionKind::kBatches, "f", true),
           LimitOp{5}, RepartitionOp{4, {}}, RepartitionOp{{}, 4}}) {
    ExpectLeftAlone("push_filter", {{Read("exact"), op, FilterOp{Greater("a", 1)}}});
  }
}

TEST(PushFilter, MergesFiltersInTheirOrder) {
  ExpectRewritten("push_filter",
                  {{Read(), FilterOp{Greater("a", 1)}, Project({"b"}), FilterOp{Greater("b", 2)}}},
                  {"Read(plain)", "Filter((a > 1) and (b > 2))", "Project(b)"});
}

TEST(PushFilter, GoesIntoAReaderThatFiltersExactly) {
  LogicalPlan plan{{Read("exact"), Project({"a"}), FilterOp{Greater("a", 1)}}};
  EXPECT_TRUE(ApplyRule("push_filter", plan));
  EXPECT_THAT(Names(plan), ElementsAre("Read(exact)", "Project(a)"));
  EXPECT_EQ(ReadOf(plan).filter, Greater("a", 1));
}

TEST(PushFilter, OnlyHintsToAReaderThatPrunes) {
  LogicalPlan plan{{Read("prunes"), FilterOp{Greater("a", 1)}}};
  EXPECT_TRUE(ApplyRule("push_filter", plan));
  EXPECT_THAT(Names(plan), ElementsAre("Read(prunes)", "Filter(a > 1)"));
  EXPECT_EQ(ReadOf(plan).filter, Greater("a", 1));
  EXPECT_FALSE(ApplyRule("push_filter", plan));
}

TEST(PushFilter, AddsToTheFilterThatTheReaderHas) {
  ReadOp read = Read("exact");
  read.filter = Greater("b", 2);
  LogicalPlan plan{{read, FilterOp{Greater("a", 1)}}};
  EXPECT_TRUE(ApplyRule("push_filter", plan));
  EXPECT_EQ(ReadOf(plan).filter, Call("and_kleene", {Greater("b", 2), Greater("a", 1)}));
}

TEST(PushFilter, DoesNotTellAReaderThatStopsEarlyOrLacksTheColumn) {
  for (const std::string kind : {"exact", "prunes"}) {
    ReadOp limited = Read(kind);
    limited.row_limit = 5;
    ExpectLeftAlone("push_filter", {{limited, FilterOp{Greater("a", 1)}}});
    ReadOp other_columns = Read(kind);
    other_columns.columns = {"b"};
    ExpectLeftAlone("push_filter", {{other_columns, FilterOp{Greater("a", 1)}}});
  }
  ExpectLeftAlone("push_filter", {{Read("columns"), FilterOp{Greater("a", 1)}}});
}

// ---- prune_columns -----------------------------------------------------------------------------

TEST(PruneColumns, ReadsWhatAssignmentsReadAndNotWhatTheyMake) {
  LogicalPlan plan{{Read("columns"), AssignOp{{{"n", Greater("a", 1)}, {"b", Column("c")}}},
                    Project({"n", "b", "d"})}};
  EXPECT_TRUE(ApplyRule("prune_columns", plan));
  EXPECT_THAT(*ReadOf(plan).columns, ::testing::UnorderedElementsAre("a", "c", "d"));
}

TEST(PruneColumns, ReadsOnlyWhatAProjectionNeeds) {
  LogicalPlan plan{{Read("columns"), FilterOp{Greater("f", 1)}, LimitOp{5}, RepartitionOp{4, {}},
                    RenameOp{{{"a", "b"}, {"r", "s"}}}, DropOp{{"d"}},
                    ProjectOp{{{"b", "out"}, {"c", "c"}}}, Function(FunctionKind::kBatches, "f")}};
  EXPECT_TRUE(ApplyRule("prune_columns", plan));
  EXPECT_EQ(ReadOf(plan).columns, (Columns{"a", "c", "d", "r", "f"}));
  EXPECT_FALSE(ApplyRule("prune_columns", plan));
}

TEST(PruneColumns, NeedsAllColumnsWithoutAProjectionBelowTheFirstFunction) {
  ExpectLeftAlone("prune_columns", {{Read("columns"), FilterOp{Greater("a", 1)}}});
  ExpectLeftAlone("prune_columns", {{Read("columns"), DropOp{{"a"}}, WriteOp{.kind = "parquet"}}});
  for (const FunctionKind kind : {FunctionKind::kBatches, FunctionKind::kRow,
                                  FunctionKind::kFlatRow, FunctionKind::kFilterRow}) {
    ExpectLeftAlone("prune_columns", {{Read("columns"), Function(kind, "f"), Project({"a"})}});
  }
  ExpectLeftAlone("prune_columns", {{Read("plain"), Project({"a"})}});
}

TEST(PruneColumns, ReadsNoMoreThanAFiltersColumnsToCountRows) {
  LogicalPlan counted{{Read("columns"), FilterOp{Greater("a", 1)}, Project({})}};
  EXPECT_TRUE(ApplyRule("prune_columns", counted));
  EXPECT_EQ(ReadOf(counted).columns, (Columns{"a"}));
  LogicalPlan all{{Read("columns"), Project({})}};
  EXPECT_TRUE(ApplyRule("prune_columns", all));
  EXPECT_EQ(ReadOf(all).columns, Columns{});
}

TEST(PruneColumns, KeepsAskingForColumnsThatAreNotThere) {
  LogicalPlan dropped{{Read("columns"), DropOp{{"a"}}, FilterOp{Greater("a", 1)}, Project({"b"})}};
  EXPECT_TRUE(ApplyRule("prune_columns", dropped));
  EXPECT_EQ(ReadOf(dropped).columns, (Columns{"b", "a"}));
  ReadOp told = Read("columns");
  told.columns = {"a", "b", "c"};
  ExpectLeftAlone("prune_columns", {{told, Project({"a", "missing"})}});
}

TEST(PruneColumns, KeepsTheOrderThatTheReaderWasTold) {
  ReadOp told = Read("columns");
  told.columns = {"a", "b", "c"};
  LogicalPlan plan{{told, Project({"c", "a"})}};
  EXPECT_TRUE(ApplyRule("prune_columns", plan));
  EXPECT_EQ(ReadOf(plan).columns, (Columns{"a", "c"}));
}

TEST(PruneColumns, KeepsWhatTheReadersOwnFilterNeeds) {
  ReadOp read = Read("exact");
  read.filter = Greater("f", 1);
  LogicalPlan plan{{read, Project({"a"})}};
  EXPECT_TRUE(ApplyRule("prune_columns", plan));
  EXPECT_EQ(ReadOf(plan).columns, (Columns{"a", "f"}));
}

// ---- push_repartition --------------------------------------------------------------------------

TEST(PushRepartition, CutsAReadersSplitsAsTheBlocksWhereItCutsFreely) {
  LogicalPlan plan{{Read("cuts"), Project({"a"}), RepartitionOp{4, {}}, LimitOp{3}}};
  EXPECT_TRUE(ApplyRule("push_repartition", plan));
  EXPECT_THAT(Names(plan),
              ElementsAre("Read(cuts)", "Project(a)", "Repartition(blocks=4)", "Limit(3)"));
  EXPECT_EQ(ReadOf(plan).splits, 4);
  EXPECT_FALSE(ApplyRule("push_repartition", plan));
}

TEST(PushRepartition, StaysWhereSplitsWouldNotBeTheBlocks) {
  ExpectLeftAlone("push_repartition", {{Read("columns"), RepartitionOp{4, {}}}});
  ExpectLeftAlone("push_repartition", {{Read("cuts"), RepartitionOp{{}, 4}}});
  for (const LogicalOp& op : std::vector<LogicalOp>{Function(FunctionKind::kRow, "f"),
                                                    FilterOp{Greater("a", 1)}, LimitOp{5}}) {
    ExpectLeftAlone("push_repartition", {{Read("cuts"), op, RepartitionOp{4, {}}}});
  }
  ReadOp filtered = Read("all");
  filtered.filter = Greater("a", 1);
  ExpectLeftAlone("push_repartition", {{filtered, RepartitionOp{4, {}}}});
  ReadOp limited = Read("all");
  limited.row_limit = 3;
  ExpectLeftAlone("push_repartition", {{limited, RepartitionOp{4, {}}}});
}

// ---- All together ------------------------------------------------------------------------------

TEST(Rewrite, NamesTheRulesThatChangedSomething) {
  const RewrittenPlan rewritten = Rewrite({{Read("columns"), Project({"a"}), LimitOp{5}}}, Traits);
  EXPECT_THAT(rewritten.applied, ElementsAre("push_limit", "prune_columns"));
  EXPECT_THAT(Rewrite({{Read("plain")}}, Traits).applied, IsEmpty());
}

TEST(Rewrite, NeverLetsAReaderCountRowsBeforeItFilters) {
  for (const std::string kind : {"exact", "prunes", "all"}) {
    const FilterOp filter{Greater("a", 1)};
    const auto filter_first = Rewrite({{Read(kind), filter, LimitOp{5}}}, Traits).plan;
    EXPECT_TRUE(ReadOf(filter_first).filter);
    EXPECT_FALSE(ReadOf(filter_first).row_limit);
    const auto limit_first = Rewrite({{Read(kind), LimitOp{5}, filter}}, Traits).plan;
    EXPECT_FALSE(ReadOf(limit_first).filter);
    EXPECT_EQ(ReadOf(limit_first).row_limit, 5);
  }
}

}  // namespace
}  // namespace penstock::testing
