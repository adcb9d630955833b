#pragma once

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "penstock/block/packed.h"
#include "penstock/op/transform.h"

namespace penstock::testing {

using Json = nlohmann::json;

/// Makes a block of columns a, b (int64) and s (string) from rows in JSON; its lineage names rows
/// from 100 on of split 7, and it counts as packed.
inline Block MakeBlock(const std::string& rows) {
  const auto type =
      arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64()),
                      arrow::field("s", arrow::utf8())});
  const auto array = arrow::json::ArrayFromJSONString(type, rows).ValueOrDie();
  Block block;
  block.batch = arrow::RecordBatch::FromStructArray(array).ValueOrDie();
  block.lineage = Lineage(RowRange{7, 100, block.rows()});
  block.packed = std::make_shared<PackedBatch>(nullptr, 0, block.rows());
  return block;
}

/// Applies the transform for `op`, and checks that the output has the schema that was promised.
inline Result<Block> Apply(const LogicalOp& op, const Block& block) {
  PENSTOCK_TRY(const auto transform, MakeTransform(op));
  const auto schema = transform->OutputSchema(block.batch->schema());
  Result<Block> applied = transform->Apply(block);
  if (!schema.ok()) {
    EXPECT_EQ(applied.status(), schema.status());
  }
  if (applied.ok() && schema.ok()) {
    EXPECT_TRUE(applied->batch->schema()->Equals(**schema, /*check_metadata=*/true));
    EXPECT_TRUE(applied->batch->ValidateFull().ok());
  }
  return applied;
}

inline std::vector<std::string> ColumnNames(const Block& block) {
  return block.batch->schema()->field_names();
}

inline std::string ColumnText(const Block& block, const std::string& name) {
  const auto column = block.batch->GetColumnByName(name);
  std::string text;
  for (int64_t i = 0; column != nullptr && i < column->length(); ++i) {
    if (i > 0) text += " ";
    text += column->GetScalar(i).ValueOrDie()->ToString();
  }
  return text;
}

}  // namespace penstock::testing
