#include "penstock/plan/logical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

LogicalPlan FullPlan() {
  ReadOp read = Read("parquet");
  read.options = {{"paths", {"a.parquet"}}};
  read.columns = {"a", "b"};
  read.filter = Greater("a", 3);
  read.row_limit = 10;
  read.splits = 4;
  read.splits_at_once = 2;
  WorkerOptions options;
  options.stateful = true;
  options.batch_rows = 32;
  options.workers_min = 1;
  options.workers_max = 2;
  options.in_flight_per_worker = 3;
  options.processors = 0.5;
  options.gpus = 0.25;
  options.memory_bytes = 100;
  options.resources = {{"licences", 2}};
  options.by_length = LengthGrouping{
      .column = "text", .drops_column = true, .window_rows = 512, .padded_length_max = 4096};
  options.workers_initial = 2;
  options.shares_model = true;
  options.environment = {"A=1"};
  options.max_restarts = 5;
  options.max_task_retries = 1;
  options.retries.crash = 0;
  options.retries.out_of_memory = -1;
  options.retries.exceptions = {{.name = "I/O",
                                 .exception_class = "builtins.OSError",
                                 .but = {"builtins.FileNotFoundError"},
                                 .retries = 5}};
  options.retries.wait_ms = 7;
  options.retries.max_build_kills = -1;
  options.max_build_tries = 2;
  options.batch_timeout_ms = 10;
  options.max_batches_per_worker = 7;
  options.max_worker_bytes = 1 << 20;
  FunctionsOp functions = Function(FunctionKind::kBatches, "Model", true, options);
  functions.functions[0].payload = std::string("\0\xff bytes", 8);
  return {{read, functions, ProjectOp{{{"a", "a"}, {"b", "c"}}}, DropOp{{"c"}},
           RenameOp{{{"a", "d"}}}, AssignOp{{{"e", Greater("d", 1)}}}, FilterOp{Greater("d", 3)},
           LimitOp{7}, RepartitionOp{4, {}}, RepartitionOp{{}, 100},
           Function(FunctionKind::kFlatRow, "split"),
           Combine(CombineKind::kZip, {{{Read("csv"), LimitOp{2}}}}),
           Combine(CombineKind::kUnion, {{{Read("json")}}, {{Read("range")}}}),
           WriteOp{"parquet", {{"path", "out"}}}}};
}

TEST(LogicalPlan, NamesItsOperators) {
  EXPECT_THAT(
      Names(FullPlan()),
      ::testing::ElementsAre("Read(parquet)", "MapBatches(Model)", "Project(a, b as c)", "Drop(c)",
                             "Rename(a as d)", "Assign(e = (d > 1))", "Filter(d > 3)", "Limit(7)",
                             "Repartition(blocks=4)", "Repartition(rows_per_block=100)",
                             "FlatMap(split)", "Zip", "Union", "Write(parquet)"));
  FunctionsOp fused = Function(FunctionKind::kRow, "f");
  fused.functions.push_back(Function(FunctionKind::kFilterRow, "g").functions[0]);
  EXPECT_EQ(OpName(fused), "Map(f)->Filter(g)");
  EXPECT_EQ(OpName(Function(FunctionKind::kBatches, "Read(Rows)")), "Read(Rows)");
  EXPECT_EQ(OpName(FilterOp{Call("is_null", {Column("a")})}), "Filter(is_null(a))");
}

TEST(LogicalPlan, CutsLongListsOfNames) {
  DropOp drop;
  for (int i = 0; i < 100; ++i) drop.columns.push_back(std::to_string(i));
  EXPECT_EQ(OpName(drop), "Drop(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 88 more)");
}

TEST(LogicalPlan, IsShownLastOperatorFirst) {
  ReadOp read = Read("parquet");
  read.columns = {"a"};
  read.filter = Greater("a", 3);
  read.row_limit = 5;
  read.splits = 2;
  read.splits_at_once = 1;
  EXPECT_EQ(
      PlanText({{read, LimitOp{5}, WriteOp{.kind = "parquet"}}}),
      "Write(parquet)\n"
      "+- Limit(5)\n"
      "   +- Read(parquet, columns=[a], filter=(a > 3), row_limit=5, splits=2, splits_at_once=1)");
}

TEST(LogicalPlan, AcceptsEveryOperatorInItsPlace) { EXPECT_TRUE(ValidatePlan(FullPlan()).ok()); }

TEST(LogicalPlan, RefusesOperatorsInTheWrongPlace) {
  EXPECT_THAT(ValidatePlan({}).message(), HasSubstr("must begin with a read"));
  EXPECT_THAT(ValidatePlan({{LimitOp{1}}}).message(),
              AllOf(HasSubstr("Operator 0"), HasSubstr("must begin with a read")));
  EXPECT_THAT(ValidatePlan({{Read(), Read()}}).message(), HasSubstr("Operator 1"));
  EXPECT_THAT(ValidatePlan({{Read(), WriteOp{.kind = "parquet"}, LimitOp{1}}}).message(),
              AllOf(HasSubstr("Operator 1"), HasSubstr("last")));
}

struct BadOp {
  LogicalOp op;
  std::string message;
};

TEST(LogicalPlan, NamesTheFieldThatIsWrong) {
  WorkerOptions no_rows;
  no_rows.batch_rows = 0;
  WorkerOptions few_workers;
  few_workers.workers_min = 3;
  few_workers.workers_max = 2;
  WorkerOptions nothing_in_flight;
  nothing_in_flight.in_flight_per_worker = 0;
  WorkerOptions negative_gpus;
  negative_gpus.gpus = -1;
  WorkerOptions negative_processors;
  negative_processors.processors = -1;
  WorkerOptions no_tries;
  no_tries.max_build_tries = 0;
  WorkerOptions few_retries;
  few_retries.retries.timeout = -2;
  WorkerOptions nameless_retries;
  nameless_retries.retries.exceptions = {{.name = "nothing"}};
  WorkerOptions bad_resource;
  bad_resource.resources = {{"licences", -1}};
  WorkerOptions unbounded_group;
  unbounded_group.by_length = LengthGrouping{.column = "text"};
  WorkerOptions growing_group;
  growing_group.by_length = LengthGrouping{.column = "text", .padded_length_max = 10};
  growing_group.grows_batches = true;
  WorkerOptions broken_gpus;
  broken_gpus.gpus = 1.5;
  WorkerOptions short_threads;
  short_threads.threads = true;
  short_threads.max_batches_per_worker = 3;
  WorkerOptions shared_threads;
  shared_threads.threads = shared_threads.shares_model = true;
  const auto map = [](const WorkerOptions& options) {
    return Function(FunctionKind::kBatches, "f", false, options);
  };
  const std::vector<BadOp> cases = {
      {LimitOp{-1}, "Limit(-1): rows must be at least 0, not -1"},
      {RepartitionOp{0, {}}, "blocks must be at least 1, not 0"},
      {RepartitionOp{{}, 0}, "rows_per_block must be at least 1, not 0"},
      {RepartitionOp{1, 1}, "not both"},
      {RepartitionOp{}, "not neither"},
      {FunctionsOp{}, "at least one function"},
      {map(no_rows), "MapBatches(f): batch_rows must be at least 1, not 0"},
      {map(few_workers), "workers_max must be at least 3, not 2"},
      {map(nothing_in_flight), "in_flight_per_worker must be at least 1, not 0"},
      {map(negative_gpus), "gpus must be at least 0, not -1"},
      {map(negative_processors), "processors must be at least 0, not -1"},
      {map(no_tries), "max_build_tries must be at least 1, not 0"},
      {map(few_retries), "retries.timeout must be at least -1, not -2"},
      {map(nameless_retries), "retries.exceptions must name classes; got none for: nothing"},
      {map(bad_resource), "numbers of at least 0: 'licences'"},
      {map(unbounded_group), "by_length needs batch_rows or padded_length_max"},
      {map(growing_group), "by_length leaves no room for grows_batches"},
      {map(broken_gpus), "gpus must be whole above 1: 1.5"},
      {map(short_threads), "threads live as long as their process"},
      {map(shared_threads), "leave out shares_model"},
      {ProjectOp{{{"a", "x"}, {"b", "x"}}}, "named twice: 'x'"},
      {RenameOp{{{"a", "x"}, {"a", "y"}}}, "named twice: 'a'"},
      {RenameOp{{{"a", "x"}, {"b", "x"}}}, "named twice: 'x'"},
      {FilterOp{Call("nothing", {})}, "'nothing'"},
      {WriteOp{}, "kind must name a writer"},
  };
  for (const BadOp& bad : cases) {
    const Status status = ValidatePlan({{Read(), bad.op}});
    EXPECT_TRUE(status.IsInvalid());
    EXPECT_THAT(status.message(), AllOf(HasSubstr("Operator 1"), HasSubstr(bad.message)));
  }
}

TEST(LogicalPlan, NamesTheFieldOfTheReadThatIsWrong) {
  const auto message = [](auto change) {
    ReadOp read = Read("parquet");
    change(read);
    return ValidatePlan({{read}}).message();
  };
  EXPECT_THAT(message([](ReadOp& read) { read.kind = ""; }), HasSubstr("kind"));
  EXPECT_THAT(message([](ReadOp& read) { read.columns = {"a", "a"}; }), HasSubstr("'a'"));
  EXPECT_THAT(message([](ReadOp& read) { read.row_limit = -2; }), HasSubstr("row_limit"));
  EXPECT_THAT(message([](ReadOp& read) { read.splits = 0; }), HasSubstr("splits"));
  EXPECT_THAT(message([](ReadOp& read) { read.splits_at_once = 0; }), HasSubstr("splits_at_once"));
  EXPECT_THAT(message([](ReadOp& read) { read.filter = 3; }), HasSubstr("not 3"));
  EXPECT_THAT(message([](ReadOp& read) { read.batches.emplace_back(); }), HasSubstr("batches"));
}

TEST(LogicalPlan, ComesBackFromJsonAsItWas) {
  const auto json = PlanToJson(FullPlan());
  ASSERT_TRUE(json.ok()) << json.status();
  const auto plan = PlanFromJson(Json::parse(json->dump()));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*PlanToJson(*plan), *json);
  EXPECT_EQ(PlanText(*plan), PlanText(FullPlan()));
  const LogicalPlan full = FullPlan();
  const auto& before = std::get<FunctionsOp>(full.ops[1]);
  const auto& after = std::get<FunctionsOp>(plan->ops[1]);
  EXPECT_EQ(after.options, before.options);
  EXPECT_EQ(after.functions[0].payload, before.functions[0].payload);
  EXPECT_TRUE(after.functions[0].keeps_rows);
}

TEST(LogicalPlan, RefusesPlansThatCannotJoin) {
  const auto refusal = [](CombineOp combine) {
    return ValidatePlan({{Read("csv"), std::move(combine)}}).message();
  };
  EXPECT_THAT(refusal(CombineOp{}), HasSubstr("at least one plan"));
  EXPECT_THAT(refusal(Combine(CombineKind::kUnion, {{}})), HasSubstr("it is empty"));
  const LogicalPlan writes{{Read("csv"), WriteOp{"parquet", Json::object()}}};
  EXPECT_THAT(refusal(Combine(CombineKind::kUnion, {writes})), HasSubstr("must not write"));
}

TEST(LogicalPlan, RefusesToWriteDownRowsInMemory) {
  ReadOp read = Read("memory");
  read.batches.emplace_back();
  EXPECT_TRUE(PlanToJson({{read}}).status().IsNotImplemented());
}

TEST(LogicalPlan, RefusesToWriteDownCppFunctions) {
  NativeOp native{.name = "Model", .make = []() -> Result<BatchFunction> { return nullptr; }};
  EXPECT_TRUE(ValidatePlan({{Read("csv"), native}}).ok());
  const Status status = PlanToJson({{Read("csv"), native}}).status();
  EXPECT_TRUE(status.IsNotImplemented());
  EXPECT_THAT(status.message(), HasSubstr("Model"));
  native.make = nullptr;
  EXPECT_THAT(ValidatePlan({{Read("csv"), native}}).message(), HasSubstr("make"));
}

TEST(LogicalPlan, NamesWhatIsWrongInJson) {
  const auto message = [](const std::string& text) {
    const Status status = PlanFromJson(Json::parse(text)).status();
    EXPECT_TRUE(status.IsInvalid()) << text;
    return status.message();
  };
  const std::string read = R"({"op": "read", "kind": "csv"})";
  const auto second = [&](const std::string& op) {
    return message(R"({"version": 1, "ops": [)" + read + ", " + op + "]}");
  };
  EXPECT_THAT(message("[]"), HasSubstr("'ops'"));
  EXPECT_THAT(message(R"({"version": 2, "ops": []})"), HasSubstr("version 1, not 2"));
  EXPECT_THAT(second("3"), AllOf(HasSubstr("Operator 1"), HasSubstr("object")));
  EXPECT_THAT(second(R"({"op": "sort"})"), HasSubstr("'sort'"));
  EXPECT_THAT(second(R"({"op": "limit"})"), HasSubstr("'rows' is missing"));
  EXPECT_THAT(second(R"({"op": "limit", "rows": 2.5})"), HasSubstr("wrong type: 2.5"));
  EXPECT_THAT(second(R"({"op": "drop", "columns": [1]})"), HasSubstr("'columns'"));
  EXPECT_THAT(second(R"({"op": "functions", "functions": [{"kind": "rows"}]})"),
              HasSubstr("'rows'"));
  EXPECT_THAT(second(R"({"op": "functions", "functions": [{"kind": "row", "payload": "&"}]})"),
              HasSubstr("base64"));
  EXPECT_THAT(second(R"({"op": "limit", "rows": -1})"), HasSubstr("at least 0"));
  const auto retries = [&](const std::string& budgets) {
    return second(R"({"op": "functions", "functions": [{"name": "f", "kind": "row"}], )"
                  R"("options": {"retries": )" +
                  budgets + "}}");
  };
  EXPECT_THAT(retries("3"), HasSubstr("retries must be an object; got: 3"));
  EXPECT_THAT(retries(R"({"crash": "x"})"), HasSubstr("'crash' has the wrong type"));
  EXPECT_THAT(retries(R"({"exceptions": [3]})"),
              HasSubstr("each of retries.exceptions must be an object; got: 3"));
}

}  // namespace
}  // namespace penstock::testing
