#include <arrow/util/base64.h>

#include <string_view>

#include "penstock/plan/json_fields.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/overloaded.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

constexpr std::pair<FunctionKind, std::string_view> kFunctionKinds[] = {
    {FunctionKind::kBatches, "batches"},
    {FunctionKind::kRow, "row"},
    {FunctionKind::kFlatRow, "flat_row"},
    {FunctionKind::kFilterRow, "filter_row"},
};

Json FunctionToJson(const FunctionSpec& function) {
  std::string_view kind;
  for (const auto& [candidate, name] : kFunctionKinds) {
    if (candidate == function.kind) kind = name;
  }
  return {{"name", function.name},
          {"kind", kind},
          {"payload", arrow::util::base64_encode(function.payload)},
          {"keeps_rows", function.keeps_rows}};
}

/// What is open cannot be written down, and may hold secrets that nobody wants written.
Status NoFileSystem() {
  return Status::NotImplemented(
      "A plan with a file system that is open already cannot be written down; name the file system "
      "by URIs");
}

Result<Json> ReadToJson(const ReadOp& read) {
  if (!read.batches.empty()) {
    return Status::NotImplemented(
        "A plan that reads from memory cannot be written down; write "
        "the rows to a file and read that");
  }
  if (read.file_system != nullptr) return NoFileSystem();
  Json json = {{"op", "read"}, {"kind", read.kind}, {"options", read.options}};
  PutOptional(json, "columns", read.columns);
  PutOptional(json, "filter", read.filter);
  PutOptional(json, "row_limit", read.row_limit);
  PutOptional(json, "splits", read.splits);
  PutOptional(json, "splits_at_once", read.splits_at_once);
  PutOptional(json, "order_seed", read.order_seed);
  return json;
}

Json FunctionsToJson(const FunctionsOp& op) {
  Json json = {{"op", "functions"}, {"options", WorkerOptionsToJson(op.options)}};
  json["functions"] = Json::array();
  for (const FunctionSpec& function : op.functions) {
    json["functions"].push_back(FunctionToJson(function));
  }
  return json;
}

Json SampleToJson(const SampleOp& op) {
  Json json = {{"op", "sample"}, {"seed", op.seed}, {"begin", op.begin}, {"end", op.end}};
  PutOptional(json, "column", op.column);
  return json;
}

Json RepartitionToJson(const RepartitionOp& op) {
  Json json = {{"op", "repartition"}};
  PutOptional(json, "blocks", op.blocks);
  PutOptional(json, "rows_per_block", op.rows_per_block);
  return json;
}

Result<Json> CombineToJson(const CombineOp& op) {
  Json json = {{"op", op.kind == CombineKind::kZip ? "zip" : "union"}, {"others", Json::array()}};
  for (const std::shared_ptr<const LogicalPlan>& other : op.others) {
    PENSTOCK_TRY(json["others"].emplace_back(), PlanToJson(*other));
  }
  PutOptional(json, "row_limit", op.row_limit);
  return json;
}

Result<Json> OpToJson(const LogicalOp& op) {
  return std::visit(
      Overloaded{
          [](const ReadOp& read) { return ReadToJson(read); },
          [](const FunctionsOp& functions) { return Result<Json>(FunctionsToJson(functions)); },
          [](const NativeOp& native) -> Result<Json> {
            return Status::NotImplemented("A plan with C++ functions cannot be written down: ",
                                          native.name);
          },
          [](const ProjectOp& project) {
            return Result<Json>(Json{{"op", "project"}, {"columns", project.columns}});
          },
          [](const DropOp& drop) {
            return Result<Json>(Json{{"op", "drop"}, {"columns", drop.columns}});
          },
          [](const RenameOp& rename) {
            return Result<Json>(Json{{"op", "rename"}, {"columns", rename.columns}});
          },
          [](const AssignOp& assign) {
            return Result<Json>(Json{{"op", "assign"}, {"columns", assign.columns}});
          },
          [](const FilterOp& filter) {
            return Result<Json>(Json{{"op", "filter"}, {"expression", filter.expression}});
          },
          [](const SampleOp& sample) { return Result<Json>(SampleToJson(sample)); },
          [](const LimitOp& limit) {
            return Result<Json>(Json{{"op", "limit"}, {"rows", limit.rows}});
          },
          [](const RepartitionOp& repartition) {
            return Result<Json>(RepartitionToJson(repartition));
          },
          [](const CombineOp& combine) { return CombineToJson(combine); },
          [](const WriteOp& write) {
            if (write.file_names != nullptr) {
              return Result<Json>(Status::NotImplemented(
                  "A plan whose files the caller names cannot be serialised"));
            }
            if (write.file_system != nullptr) return Result<Json>(NoFileSystem());
            return Result<Json>(
                Json{{"op", "write"}, {"kind", write.kind}, {"options", write.options}});
          },
      },
      op);
}

Status TakeFunctionKind(const Json& json, FunctionKind& kind) {
  std::string name;
  PENSTOCK_RETURN_NOT_OK(Take(json, "kind", name));
  for (const auto& [candidate, candidate_name] : kFunctionKinds) {
    if (candidate_name == name) {
      kind = candidate;
      return Status::OK();
    }
  }
  return Status::Invalid("field 'kind' must be batches, row, flat_row or filter_row: '", name, "'");
}

Status TakeFunction(const Json& json, FunctionSpec& function) {
  if (!json.is_object()) return Status::Invalid("field 'functions' must hold objects");
  PENSTOCK_RETURN_NOT_OK(Take(json, "name", function.name));
  PENSTOCK_RETURN_NOT_OK(TakeFunctionKind(json, function.kind));
  PENSTOCK_RETURN_NOT_OK(Take(json, "keeps_rows", function.keeps_rows));
  std::string payload;
  PENSTOCK_RETURN_NOT_OK(Take(json, "payload", payload));
  Result<std::string> decoded = arrow::util::base64_decode(payload);
  if (!decoded.ok())
    return Status::Invalid("field 'payload' of '", function.name, "' is not base64");
  function.payload = *std::move(decoded);
  return Status::OK();
}

Result<LogicalOp> ReadFromJson(const Json& json) {
  ReadOp read;
  PENSTOCK_RETURN_NOT_OK(Take(json, "kind", read.kind));
  PENSTOCK_RETURN_NOT_OK(Take(json, "options", read.options));
  PENSTOCK_RETURN_NOT_OK(Take(json, "columns", read.columns));
  PENSTOCK_RETURN_NOT_OK(Take(json, "filter", read.filter));
  PENSTOCK_RETURN_NOT_OK(Take(json, "row_limit", read.row_limit));
  PENSTOCK_RETURN_NOT_OK(Take(json, "splits", read.splits));
  PENSTOCK_RETURN_NOT_OK(Take(json, "splits_at_once", read.splits_at_once));
  PENSTOCK_RETURN_NOT_OK(Take(json, "order_seed", read.order_seed));
  return read;
}

Result<LogicalOp> FunctionsFromJson(const Json& json) {
  FunctionsOp op;
  Json functions = Json::array();
  Json options = Json::object();
  PENSTOCK_RETURN_NOT_OK(Take(json, "functions", functions));
  PENSTOCK_RETURN_NOT_OK(Take(json, "options", options));
  for (const Json& function : functions) {
    PENSTOCK_RETURN_NOT_OK(TakeFunction(function, op.functions.emplace_back()));
  }
  PENSTOCK_TRY(op.options, WorkerOptionsFromJson(options));
  return op;
}

template <typename Op>
Result<LogicalOp> ColumnsFromJson(const Json& json) {
  Op op;
  PENSTOCK_RETURN_NOT_OK(Take(json, "columns", op.columns));
  return op;
}

Result<LogicalOp> FilterFromJson(const Json& json) {
  FilterOp op;
  PENSTOCK_RETURN_NOT_OK(Take(json, "expression", op.expression));
  return op;
}

Result<LogicalOp> SampleFromJson(const Json& json) {
  SampleOp op;
  PENSTOCK_RETURN_NOT_OK(Take(json, "seed", op.seed));
  PENSTOCK_RETURN_NOT_OK(Take(json, "begin", op.begin));
  PENSTOCK_RETURN_NOT_OK(Take(json, "end", op.end));
  PENSTOCK_RETURN_NOT_OK(Take(json, "column", op.column));
  return op;
}

Result<LogicalOp> LimitFromJson(const Json& json) {
  LimitOp op;
  if (!json.contains("rows")) return Status::Invalid("field 'rows' is missing");
  PENSTOCK_RETURN_NOT_OK(Take(json, "rows", op.rows));
  return op;
}

Result<LogicalOp> RepartitionFromJson(const Json& json) {
  RepartitionOp op;
  PENSTOCK_RETURN_NOT_OK(Take(json, "blocks", op.blocks));
  PENSTOCK_RETURN_NOT_OK(Take(json, "rows_per_block", op.rows_per_block));
  return op;
}

template <CombineKind kind>
Result<LogicalOp> CombineFromJson(const Json& json) {
  CombineOp op{.kind = kind};
  Json others = Json::array();
  PENSTOCK_RETURN_NOT_OK(Take(json, "others", others));
  for (const Json& other : others) {
    PENSTOCK_TRY(LogicalPlan plan, PlanFromJson(other));
    op.others.push_back(std::make_shared<const LogicalPlan>(std::move(plan)));
  }
  PENSTOCK_RETURN_NOT_OK(Take(json, "row_limit", op.row_limit));
  return op;
}

Result<LogicalOp> WriteFromJson(const Json& json) {
  WriteOp op;
  PENSTOCK_RETURN_NOT_OK(Take(json, "kind", op.kind));
  PENSTOCK_RETURN_NOT_OK(Take(json, "options", op.options));
  return op;
}

constexpr std::pair<std::string_view, Result<LogicalOp> (*)(const Json&)> kOpReaders[] = {
    {"read", ReadFromJson},
    {"functions", FunctionsFromJson},
    {"project", ColumnsFromJson<ProjectOp>},
    {"drop", ColumnsFromJson<DropOp>},
    {"rename", ColumnsFromJson<RenameOp>},
    {"assign", ColumnsFromJson<AssignOp>},
    {"filter", FilterFromJson},
    {"sample", SampleFromJson},
    {"limit", LimitFromJson},
    {"repartition", RepartitionFromJson},
    {"union", CombineFromJson<CombineKind::kUnion>},
    {"zip", CombineFromJson<CombineKind::kZip>},
    {"write", WriteFromJson},
};

Result<LogicalOp> OpFromJson(const Json& json) {
  std::string name;
  if (!json.is_object()) return Status::Invalid("an operator must be an object");
  PENSTOCK_RETURN_NOT_OK(Take(json, "op", name));
  for (const auto& [candidate, from_json] : kOpReaders) {
    if (candidate == name) return from_json(json);
  }
  return Status::Invalid("field 'op' names no operator: '", name, "'");
}

}  // namespace

Result<Json> PlanToJson(const LogicalPlan& plan) {
  Json json = {{"version", kVersion}, {"ops", Json::array()}};
  for (const LogicalOp& op : plan.ops) {
    PENSTOCK_TRY(json["ops"].emplace_back(), OpToJson(op));
  }
  return json;
}

Result<LogicalPlan> PlanFromJson(const Json& json) {
  if (!json.is_object() || !json.contains("ops") || !json.at("ops").is_array()) {
    return Status::Invalid("A plan must be an object with the fields 'version' and 'ops'");
  }
  int version = 0;
  PENSTOCK_RETURN_NOT_OK(Take(json, "version", version));
  if (version != kVersion) {
    return Status::Invalid("A plan must have version ", kVersion, ", not ", version);
  }
  LogicalPlan plan;
  for (const Json& op_json : json.at("ops")) {
    Result<LogicalOp> op = OpFromJson(op_json);
    if (!op.ok()) {
      return op.status().WithMessage("Operator ", plan.ops.size(),
                                     " of the plan: ", op.status().message());
    }
    plan.ops.push_back(*std::move(op));
  }
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(plan));
  return plan;
}

}  // namespace penstock
