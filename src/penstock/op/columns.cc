#include "penstock/op/columns.h"

#include <set>

#include "penstock/op/schema_cache.h"

namespace penstock {
namespace {

constexpr int kNamesShown = 50;

std::string NamesText(const arrow::Schema& schema) {
  std::string text;
  for (int i = 0; i < schema.num_fields() && i < kNamesShown; ++i) {
    text += (i == 0 ? "" : ", ") + schema.field(i)->name();
  }
  if (schema.num_fields() > kNamesShown) {
    text += ", and " + std::to_string(schema.num_fields() - kNamesShown) + " more";
  }
  return schema.num_fields() == 0 ? "none" : text;
}

struct BoundChoice {
  std::vector<int> indices;
  std::shared_ptr<arrow::Schema> schema;
  bool changes_nothing = false;
};

class ColumnTransform final : public Transform {
 public:
  ColumnTransform(std::string operator_name, ChooseColumns choose)
      : operator_name_(std::move(operator_name)), choose_(std::move(choose)) {}

  Result<Block> Apply(Block block) const override {
    PENSTOCK_TRY(const auto choice, ChoiceFor(block.batch->schema()));
    if (choice->changes_nothing) return block;
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    columns.reserve(choice->indices.size());
    for (const int index : choice->indices) columns.push_back(block.batch->column_data(index));
    block.batch = arrow::RecordBatch::Make(choice->schema, block.rows(), std::move(columns));
    block.packed = nullptr;
    return block;
  }

  Result<std::shared_ptr<arrow::Schema>> OutputSchema(
      const std::shared_ptr<arrow::Schema>& input) const override {
    PENSTOCK_TRY(const auto choice, ChoiceFor(input));
    return choice->changes_nothing ? input : choice->schema;
  }

 private:
  Result<std::shared_ptr<const BoundChoice>> ChoiceFor(
      const std::shared_ptr<arrow::Schema>& schema) const {
    return cache_.Get(schema, [this](const arrow::Schema& input) { return Bind(input); });
  }

  Result<BoundChoice> Bind(const arrow::Schema& input) const {
    PENSTOCK_TRY(ColumnChoice choice, choose_(input));
    BoundChoice bound;
    bound.changes_nothing = static_cast<int>(choice.indices.size()) == input.num_fields();
    arrow::FieldVector fields;
    std::set<std::string_view> seen;
    for (size_t i = 0; i < choice.indices.size(); ++i) {
      const auto& field = input.field(choice.indices[i]);
      const std::string& name = choice.names[i];
      if (!seen.insert(name).second) {
        return Status::Invalid(operator_name_, " gives two columns the name '", name,
                               "'; columns before it: ", NamesText(input));
      }
      bound.changes_nothing &= choice.indices[i] == static_cast<int>(i) && field->name() == name;
      fields.push_back(field->WithName(name));
    }
    bound.indices = std::move(choice.indices);
    bound.schema = arrow::schema(std::move(fields), input.metadata());
    return bound;
  }

  const std::string operator_name_;
  const ChooseColumns choose_;
  const SchemaCache<BoundChoice> cache_;
};

}  // namespace

Result<int> FindColumn(const arrow::Schema& schema, const std::string& name,
                       std::string_view operator_name) {
  const std::vector<int> indices = schema.GetAllFieldIndices(name);
  if (indices.size() == 1) return indices[0];
  if (indices.empty()) {
    return Status::KeyError(operator_name, " reads column '", name,
                            "', which does not exist; columns: ", NamesText(schema));
  }
  return Status::Invalid(operator_name, " reads column '", name,
                         "', which exists more than once; columns: ", NamesText(schema));
}

std::unique_ptr<Transform> MakeColumnTransform(std::string operator_name, ChooseColumns choose) {
  return std::make_unique<ColumnTransform>(std::move(operator_name), std::move(choose));
}

}  // namespace penstock
