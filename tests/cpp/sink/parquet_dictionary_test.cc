#include "penstock/sink/parquet_dictionary.h"

#include <arrow/builder.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kRows = 65'536;
constexpr int64_t kPageBytes = int64_t{1} << 20;

std::shared_ptr<arrow::Array> Doubles(int64_t rows, const std::function<double(int64_t)>& value) {
  arrow::DoubleBuilder builder;
  for (int64_t row = 0; row < rows; ++row) EXPECT_TRUE(builder.Append(value(row)).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Texts(int64_t rows,
                                    const std::function<std::string(int64_t)>& value) {
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < rows; ++row) EXPECT_TRUE(builder.Append(value(row)).ok());
  return builder.Finish().ValueOrDie();
}

std::vector<std::string> Beyond(const std::shared_ptr<arrow::Array>& column) {
  const auto schema = arrow::schema({arrow::field("x", column->type())});
  const auto batch = arrow::RecordBatch::Make(schema, column->length(), {column});
  return ColumnsBeyondDictionary(*batch, kPageBytes).ValueOrDie();
}

double Scattered(int64_t row, uint64_t values) {
  return static_cast<double>(static_cast<uint64_t>(row) * 0x9E3779B97F4A7C15U % values);
}

TEST(ParquetDictionaryTest, AColumnOfValuesThatAllDifferGetsNone) {
  EXPECT_THAT(Beyond(Doubles(kRows, [](int64_t row) { return static_cast<double>(row); })),
              ElementsAre("x"));
}

TEST(ParquetDictionaryTest, AColumnOfFewValuesKeepsIts) {
  EXPECT_THAT(Beyond(Doubles(kRows, [](int64_t row) { return Scattered(row, 50'000); })),
              IsEmpty());
}

TEST(ParquetDictionaryTest, LongTextsFillItSoonerThanShortOnes) {
  const auto text = [](size_t bytes) {
    return [bytes](int64_t row) {
      std::string number = std::to_string(row % 3001);
      return number + std::string(bytes - number.size(), 'x');
    };
  };
  EXPECT_THAT(Beyond(Texts(kRows, text(20))), IsEmpty());
  EXPECT_THAT(Beyond(Texts(kRows, text(1000))), ElementsAre("x"));
}

TEST(ParquetDictionaryTest, ABatchOfFewRowsIsNotJudged) {
  EXPECT_THAT(Beyond(Doubles(1000, [](int64_t row) { return static_cast<double>(row); })),
              IsEmpty());
}

TEST(ParquetDictionaryTest, NullsAreNoValues) {
  arrow::DoubleBuilder builder;
  ASSERT_TRUE(builder.AppendNulls(kRows).ok());
  EXPECT_THAT(Beyond(builder.Finish().ValueOrDie()), IsEmpty());
}

}  // namespace
}  // namespace penstock
