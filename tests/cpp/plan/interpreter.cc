#include "plan/interpreter.h"

#include <algorithm>
#include <set>

#include "penstock/plan/expression.h"

namespace penstock::testing {
namespace {

using Json = nlohmann::json;

Result<size_t> IndexOf(const Table& table, const std::string& name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return Status::Invalid("no column '", name, "'");
  return static_cast<size_t>(found - table.columns.begin());
}

/// Knows greater, less, add, is_null and and_kleene; true is 1, false 0.
Value Evaluate(const Json& json, const Table& table, const Row& row) {
  if (json.contains("column")) return row[*IndexOf(table, json["column"])];
  if (json.contains("literal")) return json["literal"].get<int64_t>();
  const std::string call = json["call"];
  const Value left = Evaluate(json["arguments"][0], table, row);
  if (call == "is_null") return left ? 0 : 1;
  const Value right = Evaluate(json["arguments"][1], table, row);
  if (call == "and_kleene" && (left == 0 || right == 0)) return 0;
  if (!left || !right) return std::nullopt;
  if (call == "greater") return *left > *right;
  if (call == "less") return *left < *right;
  if (call == "add") return *left + *right;
  return *left != 0 && *right != 0;
}

int64_t Sum(const Row& row) {
  int64_t sum = 0;
  for (const Value& value : row) sum += value.value_or(0);
  return sum;
}

template <typename Change>
void ChangeValues(Table& table, Change change) {
  for (auto& block : table.blocks) {
    for (Row& row : block) {
      for (Value& value : row) {
        if (value) value = change(*value);
      }
    }
  }
}

template <typename Keep>
void KeepRows(Table& table, Keep keep) {
  for (auto& block : table.blocks) {
    std::erase_if(block, [&](const Row& row) { return !keep(row); });
  }
}

Status Choose(Table& table, const std::vector<std::pair<std::string, std::string>>& columns) {
  std::vector<size_t> indices;
  std::vector<std::string> names;
  for (const auto& [from, to] : columns) {
    PENSTOCK_TRY(indices.emplace_back(), IndexOf(table, from));
    names.push_back(to);
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    return Status::Invalid("a name twice");
  }
  table.columns = std::move(names);
  for (auto& block : table.blocks) {
    for (Row& row : block) {
      Row chosen;
      for (const size_t index : indices) chosen.push_back(row[index]);
      row = std::move(chosen);
    }
  }
  return Status::OK();
}

Status Filter(Table& table, const Json& expression) {
  for (const std::string& name : ColumnsOf(expression)) {
    PENSTOCK_RETURN_NOT_OK(IndexOf(table, name).status());
  }
  KeepRows(table, [&](const Row& row) { return Evaluate(expression, table, row) == 1; });
  return Status::OK();
}

Status Assign(Table& table, const AssignOp& assign) {
  const Table input = table;
  for (const auto& [name, expression] : assign.columns) {
    for (const std::string& column : ColumnsOf(expression)) {
      PENSTOCK_RETURN_NOT_OK(IndexOf(input, column).status());
    }
    const auto place = static_cast<size_t>(
        std::find(table.columns.begin(), table.columns.end(), name) - table.columns.begin());
    if (place == table.columns.size()) table.columns.push_back(name);
    for (size_t block = 0; block < table.blocks.size(); ++block) {
      for (size_t row = 0; row < table.blocks[block].size(); ++row) {
        Row& values = table.blocks[block][row];
        values.resize(table.columns.size());
        values[place] = Evaluate(expression, input, input.blocks[block][row]);
      }
    }
  }
  return Status::OK();
}

void Limit(Table& table, int64_t rows) {
  for (auto& block : table.blocks) {
    const auto kept = std::min<size_t>(block.size(), static_cast<size_t>(rows));
    block.resize(kept);
    rows -= static_cast<int64_t>(kept);
  }
}

void Repartition(Table& table, const RepartitionOp& op) {
  if (!op.blocks && !op.rows_per_block) return;
  const std::vector<Row> rows = table.rows();
  table.blocks.clear();
  size_t first = 0;
  const auto blocks = static_cast<size_t>(op.blocks.value_or(0));
  while (first < rows.size()) {
    size_t count = static_cast<size_t>(op.rows_per_block.value_or(0));
    if (blocks > 0) {
      count = rows.size() / blocks + (table.blocks.size() < rows.size() % blocks ? 1 : 0);
    }
    const size_t last = std::min(rows.size(), first + count);
    table.blocks.emplace_back(rows.begin() + static_cast<ptrdiff_t>(first),
                              rows.begin() + static_cast<ptrdiff_t>(last));
    first = last;
  }
}

Status RunFunction(Table& table, const std::string& name) {
  if (name == "add") ChangeValues(table, [](int64_t value) { return value + 1; });
  if (name == "negate") ChangeValues(table, [](int64_t value) { return -value; });
  if (name == "odd") KeepRows(table, [](const Row& row) { return Sum(row) % 2 != 0; });
  if (name == "sum") {
    table.columns.push_back("sum" + std::to_string(table.columns.size()));
    for (auto& block : table.blocks) {
      for (Row& row : block) row.push_back(Sum(row));
    }
  }
  for (auto& block : table.blocks) {
    if (name == "behead" && !block.empty()) block.erase(block.begin());
    if (name != "twice") continue;
    std::vector<Row> doubled;
    for (const Row& row : block) {
      if (Sum(row) % 3 != 0) doubled.insert(doubled.end(), 2, row);
    }
    block = std::move(doubled);
  }
  return Status::OK();
}

Status RunRead(Table& table, const ReadOp& read, const TraitsOf& traits_of) {
  const ReaderTraits traits = traits_of(read.kind);
  if ((read.columns && !traits.projects) || (read.splits && !traits.splits_freely) ||
      (read.filter && !traits.filters && !traits.prunes)) {
    return Status::Invalid("this reader cannot do that");
  }
  if (read.columns) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const std::string& name : *read.columns) columns.emplace_back(name, name);
    PENSTOCK_RETURN_NOT_OK(Choose(table, columns));
  }
  if (read.row_limit) Limit(table, *read.row_limit);
  Repartition(table, RepartitionOp{read.splits.value_or(1), {}});
  return read.filter ? Filter(table, *read.filter) : Status::OK();
}

/// Matches columns by name; a value that a table lacks is null there.
Table Union(const std::vector<Table>& tables) {
  Table all;
  for (const Table& table : tables) {
    for (const std::string& name : table.columns) {
      if (std::ranges::find(all.columns, name) == all.columns.end()) all.columns.push_back(name);
    }
  }
  for (const Table& table : tables) {
    for (const auto& block : table.blocks) {
      std::vector<Row>& rows = all.blocks.emplace_back();
      for (const Row& row : block) {
        Row& wide = rows.emplace_back(all.columns.size());
        for (size_t i = 0; i < row.size(); ++i) wide[*IndexOf(all, table.columns[i])] = row[i];
      }
    }
  }
  return all;
}

Result<Table> Zip(const std::vector<Table>& tables) {
  Table all{tables[0].columns, {tables[0].rows()}};
  for (size_t i = 1; i < tables.size(); ++i) {
    const std::vector<Row> rows = tables[i].rows();
    if (rows.size() != all.blocks[0].size()) return Status::Invalid("unequal rows");
    for (const std::string& name : tables[i].columns) {
      std::string free = name;
      for (int n = 1; std::ranges::find(all.columns, free) != all.columns.end(); ++n) {
        free = name + "_" + std::to_string(n);
      }
      all.columns.push_back(free);
    }
    for (size_t row = 0; row < rows.size(); ++row) {
      all.blocks[0][row].insert(all.blocks[0][row].end(), rows[row].begin(), rows[row].end());
    }
  }
  return all;
}

Result<Table> Combine(CombineKind kind, const std::vector<Table>& tables) {
  return kind == CombineKind::kZip ? Zip(tables) : Union(tables);
}

Status Run(Table& table, const LogicalOp& op, const TraitsOf& traits) {
  if (const auto* read = std::get_if<ReadOp>(&op)) return RunRead(table, *read, traits);
  if (const auto* project = std::get_if<ProjectOp>(&op)) return Choose(table, project->columns);
  if (const auto* filter = std::get_if<FilterOp>(&op)) return Filter(table, filter->expression);
  if (const auto* assign = std::get_if<AssignOp>(&op)) return Assign(table, *assign);
  if (const auto* limit = std::get_if<LimitOp>(&op)) Limit(table, limit->rows);
  if (const auto* repartition = std::get_if<RepartitionOp>(&op)) Repartition(table, *repartition);
  if (const auto* functions = std::get_if<FunctionsOp>(&op)) {
    for (const FunctionSpec& function : functions->functions) {
      PENSTOCK_RETURN_NOT_OK(RunFunction(table, function.name));
    }
  }
  std::vector<std::pair<std::string, std::string>> kept;
  for (const std::string& name : table.columns) kept.emplace_back(name, name);
  if (const auto* drop = std::get_if<DropOp>(&op)) {
    for (const std::string& name : drop->columns) {
      PENSTOCK_RETURN_NOT_OK(IndexOf(table, name).status());
      std::erase_if(kept, [&](const auto& pair) { return pair.first == name; });
    }
    return Choose(table, kept);
  }
  if (const auto* rename = std::get_if<RenameOp>(&op)) {
    for (const auto& [from, to] : rename->columns) {
      PENSTOCK_TRY(const size_t index, IndexOf(table, from));
      kept[index].second = to;
    }
    return Choose(table, kept);
  }
  return Status::OK();
}

}  // namespace

std::vector<Row> Table::rows() const {
  std::vector<Row> all;
  for (const auto& block : blocks) all.insert(all.end(), block.begin(), block.end());
  return all;
}

Result<Table> Interpret(const LogicalPlan& plan, const Table& input, const TraitsOf& traits) {
  Table table = input;
  for (const LogicalOp& op : plan.ops) {
    PENSTOCK_RETURN_NOT_OK(Run(table, op, traits));
    const auto* combine = std::get_if<CombineOp>(&op);
    if (combine == nullptr) continue;
    std::vector<Table> tables = {table};
    for (const auto& other : combine->others) {
      PENSTOCK_TRY(tables.emplace_back(), Interpret(*other, input, traits));
    }
    PENSTOCK_TRY(table, Combine(combine->kind, tables));
  }
  return table;
}

Result<Table> Interpret(const PhysicalPlan& plan, const Table& input, const TraitsOf& traits) {
  std::vector<Table> tables;
  for (const Stage& stage : plan.stages) {
    std::vector<Table> inputs;
    for (const int index : stage.inputs) inputs.push_back(tables[static_cast<size_t>(index)]);
    Table table = inputs.empty() ? input : inputs[0];
    if (inputs.size() > 1) {
      const bool zips = stage.kind == StageKind::kZip;
      PENSTOCK_TRY(table, Combine(zips ? CombineKind::kZip : CombineKind::kUnion, inputs));
    }
    if (stage.read) PENSTOCK_RETURN_NOT_OK(Run(table, *stage.read, traits));
    if (stage.functions) PENSTOCK_RETURN_NOT_OK(Run(table, *stage.functions, traits));
    if (stage.repartition) PENSTOCK_RETURN_NOT_OK(Run(table, *stage.repartition, traits));
    for (const LogicalOp& op : stage.transforms) PENSTOCK_RETURN_NOT_OK(Run(table, op, traits));
    if (stage.row_limit) Limit(table, *stage.row_limit);
    tables.push_back(std::move(table));
  }
  return tables.back();
}

}  // namespace penstock::testing
