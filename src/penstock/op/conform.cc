#include "penstock/block/unify.h"
#include "penstock/op/operators.h"

namespace penstock {
namespace {

class Conform final : public Transform {
 public:
  explicit Conform(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  Result<Block> Apply(Block block) const override {
    PENSTOCK_TRY(const auto schema, OutputSchema(block.batch->schema()));
    if (schema->Equals(*block.batch->schema(), /*check_metadata=*/false)) return block;
    PENSTOCK_TRY(auto batch, BringToSchema(block.batch, schema));
    return Block{.batch = std::move(batch), .lineage = std::move(block.lineage)};
  }

  Result<std::shared_ptr<arrow::Schema>> OutputSchema(
      const std::shared_ptr<arrow::Schema>& input) const override {
    return UnifySchemas(schema_, input);
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

std::unique_ptr<Transform> MakeConform(std::shared_ptr<arrow::Schema> schema) {
  return std::make_unique<Conform>(std::move(schema));
}

}  // namespace penstock
