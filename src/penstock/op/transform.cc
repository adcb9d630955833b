#include "penstock/op/transform.h"

#include "penstock/op/operators.h"
#include "penstock/plan/overloaded.h"

namespace penstock {

Result<std::unique_ptr<Transform>> MakeTransform(const LogicalOp& op) {
  using Made = Result<std::unique_ptr<Transform>>;
  return std::visit(Overloaded{
                        [](const ProjectOp& project) -> Made { return MakeProject(project); },
                        [](const DropOp& drop) -> Made { return MakeDrop(drop); },
                        [](const RenameOp& rename) -> Made { return MakeRename(rename); },
                        [](const FilterOp& filter) -> Made { return MakeFilter(filter); },
                        [](const SampleOp& sample) -> Made { return MakeSample(sample); },
                        [](const AssignOp& assign) -> Made { return MakeAssign(assign); },
                        [&](const auto&) -> Made {
                          return Status::Invalid("Not an operator that works on one block alone: ",
                                                 OpName(op));
                        },
                    },
                    op);
}

Result<TransformChain> TransformChain::Make(std::span<const LogicalOp> ops) {
  TransformChain chain;
  for (const LogicalOp& op : ops) {
    PENSTOCK_TRY(chain.transforms_.emplace_back(), MakeTransform(op));
  }
  return chain;
}

void TransformChain::BeginWith(std::unique_ptr<Transform> transform) {
  transforms_.insert(transforms_.begin(), std::move(transform));
}

Result<Block> TransformChain::Apply(Block block) const {
  for (const auto& transform : transforms_) {
    PENSTOCK_TRY(block, transform->Apply(std::move(block)));
  }
  return block;
}

Result<std::shared_ptr<arrow::Schema>> TransformChain::OutputSchema(
    std::shared_ptr<arrow::Schema> input) const {
  for (const auto& transform : transforms_) {
    PENSTOCK_TRY(input, transform->OutputSchema(input));
  }
  return input;
}

}  // namespace penstock
