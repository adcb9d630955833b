#include "penstock/op/lengths.h"

#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::vector<int64_t>> Lengths(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& json) {
  PENSTOCK_TRY(const std::shared_ptr<arrow::Array> values,
               arrow::json::ArrayFromJSONString(type, json));
  return LengthsOf(*arrow::RecordBatch::Make(arrow::schema({arrow::field("x", type)}),
                                             values->length(), {values}),
                   "x");
}

TEST(Lengths, AreCharactersBytesItemsOrTheNumberItself) {
  EXPECT_THAT(*Lengths(arrow::utf8(), R"(["ab", "é", "", null])"), ElementsAre(2, 1, 0, 0));
  EXPECT_THAT(*Lengths(arrow::large_utf8(), R"(["ab"])"), ElementsAre(2));
  EXPECT_THAT(*Lengths(arrow::binary(), R"(["ab", null])"), ElementsAre(2, 0));
  EXPECT_THAT(*Lengths(arrow::list(arrow::int32()), "[[1, 2], [], null]"), ElementsAre(2, 0, 0));
  EXPECT_THAT(*Lengths(arrow::uint16(), "[7, null]"), ElementsAre(7, 0));
}

TEST(Lengths, AreRefusedForOtherTypesAndMissingColumns) {
  const Status wrong = Lengths(arrow::float64(), "[1.5]").status();
  EXPECT_TRUE(wrong.IsTypeError());
  EXPECT_THAT(wrong.message(), HasSubstr("'x': double"));
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({}), 3, std::vector<std::shared_ptr<arrow::Array>>{});
  EXPECT_TRUE(LengthsOf(*batch, "x").status().IsKeyError());
}

TEST(Lengths, OrderRowsLongestFirstAndKeepThoseEquallyLongInOrder) {
  EXPECT_THAT(LongestFirst(std::vector<int64_t>{1, 5, 1, 9}), ElementsAre(3, 1, 0, 2));
}

std::vector<int64_t> Cut(const std::vector<int64_t>& lengths, int64_t rows, int64_t padded) {
  return CutByLength(lengths, LongestFirst(lengths), rows, padded);
}

TEST(Lengths, CutBatchesByRowsAndByPaddedLength) {
  EXPECT_THAT(Cut({9, 4, 4, 1, 1, 1, 1}, /*rows=*/3, /*padded=*/0), ElementsAre(3, 3, 1));
  EXPECT_THAT(Cut({9, 4, 4, 1, 1, 1, 1}, 0, /*padded=*/10), ElementsAre(1, 2, 4));
  EXPECT_THAT(Cut({9, 4, 4, 1, 1, 1, 1}, /*rows=*/2, /*padded=*/10), ElementsAre(1, 2, 2, 2));
  EXPECT_THAT(Cut({50, 50}, 0, /*padded=*/10), ElementsAre(1, 1)) << "a row alone always goes";
  EXPECT_THAT(Cut({0, 0, 0}, 0, /*padded=*/2), ElementsAre(2, 1)) << "nothing counts as one";
  EXPECT_THAT(Cut({}, 3, 10), ElementsAre());
}

}  // namespace
}  // namespace penstock
