#pragma once

#include <memory>
#include <span>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/block.h"
#include "penstock/plan/logical.h"

namespace penstock {

/// A native row-wise operator: one block in, one block out (perhaps of no rows), no state between
/// blocks. Each kind is one file in op/. Threads: Apply may be called by many at once.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual Result<Block> Apply(Block block) const = 0;

  /// Returns the schema of the output for that of the input; KeyError naming a missing column and
  /// the columns there are.
  virtual Result<std::shared_ptr<arrow::Schema>> OutputSchema(
      const std::shared_ptr<arrow::Schema>& input) const = 0;
};

/// Makes the transform for a ProjectOp, DropOp, RenameOp, AssignOp or FilterOp; Invalid for other
/// operators.
Result<std::unique_ptr<Transform>> MakeTransform(const LogicalOp& op);

/// Several transforms, one after the other.
class TransformChain {
 public:
  static Result<TransformChain> Make(std::span<const LogicalOp> ops);

  /// Puts a transform before the others.
  void BeginWith(std::unique_ptr<Transform> transform);

  bool empty() const { return transforms_.empty(); }
  Result<Block> Apply(Block block) const;
  Result<std::shared_ptr<arrow::Schema>> OutputSchema(std::shared_ptr<arrow::Schema> input) const;

 private:
  std::vector<std::unique_ptr<Transform>> transforms_;
};

}  // namespace penstock
