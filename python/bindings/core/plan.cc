#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/batches.h"
#include "core/errors.h"
#include "core/file_names.h"
#include "core/file_system.h"
#include "core/keep_alive.h"
#include "core/module.h"
#include "penstock/exec/plan_facts.h"
#include "penstock/memory/machine.h"
#include "penstock/plan/expression_from_arrow.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/memory_reads.h"
#include "penstock/plan/physical.h"
#include "penstock/plan/split_order.h"
#include "penstock/source/source.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;
using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;
using Renames = std::vector<std::pair<std::string, std::string>>;

nlohmann::json ParseJson(const std::string& text) {
  nlohmann::json parsed = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) throw nb::value_error("options are not valid JSON");
  return parsed;
}

LogicalPlan With(const LogicalPlan& plan, LogicalOp op) {
  ReleaseDropped();
  LogicalPlan longer = plan;
  longer.ops.push_back(std::move(op));
  return longer;
}

LogicalPlan Memory(Batches batches, const std::vector<std::string>& files = {}) {
  ReleaseDropped();
  ReadOp read{.kind = "memory"};
  read.batches = std::move(batches);
  if (!files.empty()) read.options["files"] = files;
  return LogicalPlan{{std::move(read)}};
}

LogicalPlan FromArrow(nb::list streams) {
  Batches all;
  for (const nb::handle stream : streams) {
    Batches batches = ValueOrThrow(ImportStream(stream));
    all.insert(all.end(), batches.begin(), batches.end());
  }
  return Memory(std::move(all));
}

LogicalPlan FromColumns(nb::list blocks, const std::vector<std::string>& files) {
  Batches all;
  for (const nb::handle block : blocks) {
    std::vector<EncodedColumn> columns;
    for (const auto& [name, values] : nb::cast<nb::dict>(block)) {
      const std::string column_name = ColumnName(name);
      std::optional<EncodedColumn> encoded = Encode(column_name, values);
      if (!encoded) {
        throw nb::type_error(("column '" + column_name + "' is not plain; use Arrow").c_str());
      }
      columns.push_back(*std::move(encoded));
    }
    const int64_t rows = columns.empty() ? 0 : columns.front().rows;
    all.push_back(ValueOrThrow(BatchOf(std::move(columns), rows)));
  }
  return Memory(std::move(all), files);
}

LogicalPlan FromRows(nb::list rows) {
  EncodedRows encoded = EncodeRows(rows);
  if (!encoded.others.empty()) {
    throw nb::type_error(
        ("column '" + encoded.others.front() + "' is not plain; use Arrow").c_str());
  }
  return Memory({ValueOrThrow(BatchOf(std::move(encoded.columns), encoded.rows))});
}

LogicalPlan FromBlocks(const std::vector<const Block*>& blocks) {
  Batches all;
  for (const Block* block : blocks) all.push_back(block->batch);
  return Memory(std::move(all));
}

using Parts = std::pair<std::string, std::vector<std::vector<Block>>>;

Parts ToParts(const LogicalPlan& plan) {
  LogicalPlan rest = plan;
  std::vector<std::vector<Block>> memory;
  for (const Batches& batches : TakeMemory(&rest)) {
    std::vector<Block>& blocks = memory.emplace_back();
    for (const std::shared_ptr<arrow::RecordBatch>& batch : batches) {
      blocks.push_back(Block{.batch = batch});
    }
  }
  return {ValueOrThrow(PlanToJson(rest)).dump(), std::move(memory)};
}

LogicalPlan FromParts(const std::string& json, nb::list memory) {
  ReleaseDropped();
  LogicalPlan plan = ValueOrThrow(PlanFromJson(ParseJson(json)));
  std::vector<Batches> given;
  for (const nb::handle streams : memory) {
    Batches& batches = given.emplace_back();
    for (const nb::handle stream : nb::cast<nb::list>(streams)) {
      const Batches came = ValueOrThrow(ImportStream(stream));
      batches.insert(batches.end(), came.begin(), came.end());
    }
  }
  ThrowIfError(GiveMemory(std::move(given), &plan));
  return plan;
}

FunctionKind KindNamed(const std::string& name) {
  if (name == "batches") return FunctionKind::kBatches;
  if (name == "row") return FunctionKind::kRow;
  if (name == "flat_row") return FunctionKind::kFlatRow;
  if (name == "filter_row") return FunctionKind::kFilterRow;
  throw nb::value_error(("unknown kind of function: " + name).c_str());
}

LogicalPlan WithSplits(const LogicalPlan& plan, int64_t splits) {
  LogicalPlan changed = plan;
  std::get<ReadOp>(changed.ops.front()).splits = splits;
  return changed;
}

LogicalPlan WithSplitsAtOnce(const LogicalPlan& plan, int64_t splits) {
  LogicalPlan changed = plan;
  std::get<ReadOp>(changed.ops.front()).splits_at_once = splits;
  return changed;
}

LogicalPlan Combine(const LogicalPlan& plan, const std::string& kind,
                    const std::vector<const LogicalPlan*>& others) {
  if (kind != "union" && kind != "zip") throw nb::value_error("kind must be union or zip");
  CombineOp op{.kind = kind == "zip" ? CombineKind::kZip : CombineKind::kUnion};
  for (const LogicalPlan* other : others) {
    op.others.push_back(std::make_shared<const LogicalPlan>(*other));
  }
  return With(plan, std::move(op));
}

/// Finds a fact out without the GIL: it may take looking into files, of which some are far away
/// and others are served by Python threads of this process.
template <typename Fact>
auto Find(const LogicalPlan& plan, Fact fact) {
  auto found = [&] {
    nb::gil_scoped_release release;
    return fact(plan);
  }();
  return ValueOrThrow(std::move(found));
}

nb::object SchemaIfKnown(const LogicalPlan& plan) {
  const std::shared_ptr<arrow::Schema> schema = Find(plan, KnownSchema);
  if (schema == nullptr) return nb::none();
  const std::shared_ptr<arrow::RecordBatch> empty =
      ValueOrThrow(arrow::RecordBatch::MakeEmpty(schema));
  return nb::cast(Block{.batch = empty});
}

std::string Explain(const LogicalPlan& plan) {
  return ValueOrThrow(ExplainPlan(
      plan, ReaderTraitsOf,
      {.processors = MachineProcessors(), .gpus = static_cast<double>(MachineGpus().size())}));
}

void BindFunction(nb::module_& module) {
  nb::class_<FunctionSpec>(module, "Function", "One function of the user, packed.")
      .def(
          "__init__",
          [](FunctionSpec* place, std::string name, const std::string& kind, nb::bytes payload,
             bool keeps_rows, std::map<std::string, std::string> identity,
             std::vector<std::string> files) {
            new (place) FunctionSpec{.name = std::move(name),
                                     .kind = KindNamed(kind),
                                     .payload = std::string(payload.c_str(), payload.size()),
                                     .keeps_rows = keeps_rows,
                                     .identity = std::move(identity),
                                     .files = std::move(files)};
          },
          nb::arg("name"), nb::arg("kind"), nb::arg("payload"), nb::arg("keeps_rows") = false,
          nb::arg("identity") = std::map<std::string, std::string>(),
          nb::arg("files") = std::vector<std::string>(),
          "`identity`: what makes it the same in another run, by digests; `files`: and what "
          "files.");
}

/// `serialised` is how pyarrow pickles an expression.
std::string ExpressionFromArrow(nb::bytes serialised) {
  const std::string bytes(serialised.c_str(), serialised.size());
  return ValueOrThrow(ExpressionToJson(arrow::Buffer::FromString(bytes))).dump();
}

/// Names of files need not be UTF-8: as os.fsdecode has them.
nb::typed<nb::list, nb::str> PathList(const std::vector<std::string>& paths) {
  nb::list list;
  for (const std::string& path : paths) {
    list.append(nb::steal(
        PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size()))));
  }
  return nb::typed<nb::list, nb::str>(list);
}

}  // namespace

void BindPlan(nb::module_& module) {
  BindFunction(module);
  module.def("expression_from_arrow", &ExpressionFromArrow, nb::arg("serialised"),
             "The JSON form of a pyarrow expression, from what it is pickled as.");
  nb::class_<LogicalPlan>(module, "LogicalPlan",
                          "What is to be done, as data. Immutable: each method returns a new one.")
      .def_static(
          "read",
          [](std::string kind, const std::string& options_json,
             const FileSystemHandle* file_system) {
            ReadOp read{.kind = std::move(kind), .options = ParseJson(options_json)};
            if (file_system != nullptr) read.file_system = file_system->file_system;
            return LogicalPlan{{std::move(read)}};
          },
          nb::arg("kind"), nb::arg("options_json"), nb::arg("file_system") = nb::none())
      .def_static("from_arrow", &FromArrow, nb::arg("streams"),
                  nb::sig("def from_arrow(streams: list[object]) -> LogicalPlan"))
      .def_static("from_columns", &FromColumns, nb::arg("blocks"),
                  nb::arg("files") = std::vector<std::string>{},
                  nb::sig("def from_columns(blocks: list[dict[str, object]], "
                          "files: Sequence[str] = ...) -> LogicalPlan"),
                  "`files`: which the rows tell functions to read.")
      .def_static("from_rows", &FromRows, nb::arg("rows"),
                  nb::sig("def from_rows(rows: list[dict[str, object]]) -> LogicalPlan"))
      .def_static("from_blocks", &FromBlocks, nb::arg("blocks"))
      .def("with_splits", &WithSplits, nb::arg("count"))
      .def("with_splits_at_once", &WithSplitsAtOnce, nb::arg("count"))
      .def(
          "functions",
          [](const LogicalPlan& plan, std::vector<FunctionSpec> functions,
             const std::string& options_json) {
            WorkerOptions options = ValueOrThrow(WorkerOptionsFromJson(ParseJson(options_json)));
            return With(plan, FunctionsOp{.functions = std::move(functions),
                                          .options = std::move(options)});
          },
          nb::arg("functions"), nb::arg("options_json"),
          "`options_json`: fields by name, as in src/penstock/plan/worker_options.h.")
      .def(
          "project",
          [](const LogicalPlan& plan, Renames columns) {
            return With(plan, ProjectOp{std::move(columns)});
          },
          nb::arg("columns"))
      .def(
          "drop",
          [](const LogicalPlan& plan, std::vector<std::string> columns) {
            return With(plan, DropOp{std::move(columns)});
          },
          nb::arg("columns"))
      .def(
          "rename",
          [](const LogicalPlan& plan, Renames columns) {
            return With(plan, RenameOp{std::move(columns)});
          },
          nb::arg("columns"))
      .def(
          "assign",
          [](const LogicalPlan& plan, const Renames& columns) {
            AssignOp assign;
            for (const auto& [name, json] : columns)
              assign.columns.emplace_back(name, ParseJson(json));
            return With(plan, std::move(assign));
          },
          nb::arg("columns"), "Pairs of a column and an expression's JSON form.")
      .def(
          "filter",
          [](const LogicalPlan& plan, const std::string& expression_json) {
            return With(plan, FilterOp{ParseJson(expression_json)});
          },
          nb::arg("expression_json"))
      .def(
          "sample",
          [](const LogicalPlan& plan, int64_t seed, double begin, double end,
             std::optional<std::string> column) {
            return With(plan, SampleOp{seed, begin, end, std::move(column)});
          },
          nb::kw_only(), nb::arg("seed"), nb::arg("begin"), nb::arg("end"),
          nb::arg("column") = nb::none())
      .def("with_split_order", &WithSplitOrder, nb::arg("seed"),
           "The splits in an order drawn from the seed; None where an operator forbids it.")
      .def(
          "limit", [](const LogicalPlan& plan, int64_t rows) { return With(plan, LimitOp{rows}); },
          nb::arg("rows"))
      .def(
          "repartition",
          [](const LogicalPlan& plan, std::optional<int64_t> blocks,
             std::optional<int64_t> rows_per_block) {
            return With(plan, RepartitionOp{blocks, rows_per_block});
          },
          nb::kw_only(), nb::arg("blocks") = nb::none(), nb::arg("rows_per_block") = nb::none())
      .def("combine", &Combine, nb::arg("kind"), nb::arg("others"),
           "The rows of other plans after (\"union\") or beside (\"zip\") these.")
      .def(
          "write",
          [](const LogicalPlan& plan, std::string kind, const std::string& options_json,
             const FileNamesHandle* file_names, const FileSystemHandle* file_system) {
            WriteOp write{.kind = std::move(kind), .options = ParseJson(options_json)};
            if (file_names != nullptr) write.file_names = file_names->names;
            if (file_system != nullptr) write.file_system = file_system->file_system;
            return With(plan, std::move(write));
          },
          nb::arg("kind"), nb::arg("options_json"), nb::arg("file_names") = nb::none(),
          nb::arg("file_system") = nb::none())
      .def("explain", &Explain, "The plan as written, the rules that change it, the stages.")
      .def("text", &PlanText, "One line an operator, the last first.")
      .def("to_json", [](const LogicalPlan& plan) { return ValueOrThrow(PlanToJson(plan)).dump(); })
      .def("to_parts", &ToParts,
           "Its JSON, and the blocks of each read from memory apart: what `from_parts` takes.")
      .def_static("from_parts", &FromParts, nb::arg("json"), nb::arg("memory"),
                  nb::sig("def from_parts(json: str, memory: list[list[object]]) -> LogicalPlan"),
                  "`memory`: of each read from memory its batches, as Arrow streams.")
      .def("schema_if_known", &SchemaIfKnown, nb::sig("def schema_if_known(self) -> Block | None"),
           "An empty Block with the result's columns; None when functions decide them.")
      .def(
          "count_if_known", [](const LogicalPlan& plan) { return Find(plan, KnownRows); },
          "The number of rows, where it follows from metadata alone.")
      .def("blocks_if_known", [](const LogicalPlan& plan) { return Find(plan, KnownBlocks); })
      .def("files", [](const LogicalPlan& plan) { return PathList(Find(plan, FilesOf)); });
}

}  // namespace penstock::python
