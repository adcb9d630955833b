#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "penstock/base/status.h"
#include "penstock/block/block.h"

namespace penstock {

/// Which columns of plan/expression_positions.h expressions read.
struct PositionColumns {
  bool id = false;
  bool place = false;

  bool any() const { return id || place; }
};

/// Finds them; `columns` is what they have been found to be so far.
PositionColumns PositionsIn(const nlohmann::json& expression, PositionColumns columns = {});

/// Returns the schema with the position columns behind the others.
std::shared_ptr<arrow::Schema> WithPositions(const std::shared_ptr<arrow::Schema>& schema,
                                             PositionColumns columns);

/// Returns the block's rows with the position columns behind the others. Where a function that may
/// change the number of rows stands below, a row has no id (Invalid); its place is then that of its
/// block and the row in it.
Result<std::shared_ptr<arrow::RecordBatch>> WithPositions(const Block& block,
                                                          PositionColumns columns);

}  // namespace penstock
