#include "penstock/sink/partitions.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace penstock {
namespace {

std::shared_ptr<arrow::RecordBatch> Batch(const std::string& keys_json) {
  const auto keys = arrow::json::ArrayFromJSONString(arrow::utf8(), keys_json).ValueOrDie();
  arrow::Int64Builder numbers;
  for (int64_t i = 0; i < keys->length(); ++i) EXPECT_TRUE(numbers.Append(i).ok());
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("key", arrow::utf8()), arrow::field("n", arrow::int64())}),
      keys->length(), {keys, numbers.Finish().ValueOrDie()});
}

TEST(PartitionsTest, RowsGoToTheFolderOfTheirValueInOrder) {
  const auto parts = PartByColumns(Batch(R"(["b", "a", "b", null])"), {"key"}).ValueOrDie();
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].subfolder, "key=b/");
  EXPECT_EQ(parts[0].batch->num_columns(), 1);
  EXPECT_EQ(parts[0].batch->column(0)->ToString(), "[\n  0,\n  2\n]");
  EXPECT_EQ(parts[1].subfolder, "key=a/");
  EXPECT_EQ(parts[2].subfolder, "key=__HIVE_DEFAULT_PARTITION__/");
}

TEST(PartitionsTest, ValuesAreEscapedSoThatTheyNameOneFolder) {
  const auto parts = PartByColumns(Batch(R"(["a/../b=ü %"])"), {"key"}).ValueOrDie();
  EXPECT_EQ(parts[0].subfolder, "key=a%2F..%2Fb%3D%C3%BC%20%25/");
}

TEST(PartitionsTest, WhatCannotNameAFolderIsRefusedByColumn) {
  const auto message = [](const std::shared_ptr<arrow::RecordBatch>& batch,
                          const std::vector<std::string>& columns) {
    return PartByColumns(batch, columns).status().message();
  };
  EXPECT_THAT(message(Batch(R"(["x"])"), {"year"}), ::testing::EndsWith("got: 'year'"));
  EXPECT_THAT(message(Batch(R"(["x"])"), {"key", "n"}), ::testing::HasSubstr("All columns"));
  EXPECT_THAT(message(Batch(nlohmann::json{std::string(300, 'x')}.dump()), {"key"}),
              ::testing::HasSubstr("too long to name a folder"));
  const auto hidden = Batch(R"(["x"])")->RenameColumns({"_key", "n"}).ValueOrDie();
  EXPECT_THAT(message(hidden, {"_key"}), ::testing::EndsWith("got: '_key'"));
}

}  // namespace
}  // namespace penstock
