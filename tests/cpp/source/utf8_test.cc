#include "penstock/source/utf8.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/concatenate.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "source/source_testing.h"

namespace penstock {
namespace {

constexpr int64_t kBadRow = 2;

using S = arrow::StringBuilder;

template <typename Builder>
std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& texts) {
  Builder builder;
  for (const std::string& text : texts) EXPECT_TRUE(builder.Append(text).ok());
  return builder.Finish().ValueOrDie();
}

Status Check(const std::shared_ptr<arrow::Array>& column, int64_t first_row = 0) {
  const auto schema = arrow::schema({arrow::field("c", column->type())});
  return CheckUtf8(*arrow::RecordBatch::Make(schema, column->length(), {column}), first_row);
}

void ExpectBad(const std::shared_ptr<arrow::Array>& column, int64_t row = kBadRow) {
  const Status status = Check(column);
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_NE(status.message().find(fmt::format("row {}, column \"c\"", row)), std::string::npos)
      << status.message();
}

std::vector<std::string> Bad() { return {"a", "é", "\xff\xfe", "", "b"}; }

using MakeColumn = std::shared_ptr<arrow::Array> (*)();

class Utf8Test : public ::testing::TestWithParam<MakeColumn> {};

TEST_P(Utf8Test, NamesTheRowWhoseTextIsNot) { ExpectBad(GetParam()()); }

TEST_P(Utf8Test, LooksAtASlicesOwnRowsAlone) {
  EXPECT_TRUE(Check(GetParam()()->Slice(0, kBadRow)).ok());
  EXPECT_TRUE(Check(GetParam()()->Slice(kBadRow + 1)).ok());
  ExpectBad(GetParam()()->Slice(1), kBadRow - 1);
}

std::shared_ptr<arrow::Array> Listed(const std::shared_ptr<arrow::Array>& texts) {
  const auto offsets = testing::Column(arrow::int32(), "[0, 1, 2, 3, 4, 5]");
  return arrow::ListArray::FromArrays(*offsets, *texts).ValueOrDie();
}

std::shared_ptr<arrow::Array> InStruct(const std::shared_ptr<arrow::Array>& texts) {
  return arrow::StructArray::Make({texts}, std::vector<std::string>{"inner"}).ValueOrDie();
}

/// Pairs, whose second values are the texts.
std::shared_ptr<arrow::Array> InPairs(const std::shared_ptr<arrow::Array>& texts) {
  arrow::ArrayVector values;
  for (int64_t i = 0; i < texts->length(); ++i) {
    values.push_back(Texts<S>({"first"}));
    values.push_back(texts->Slice(i, 1));
  }
  return arrow::FixedSizeListArray::FromArrays(arrow::Concatenate(values).ValueOrDie(), 2)
      .ValueOrDie();
}

constexpr MakeColumn kColumns[] = {
    [] { return Texts<S>(Bad()); },
    [] { return Texts<arrow::LargeStringBuilder>(Bad()); },
    [] { return Texts<arrow::StringViewBuilder>(Bad()); },
    [] { return Listed(Texts<S>(Bad())); },
    [] { return InStruct(Texts<S>(Bad())); },
    [] { return Listed(InStruct(Texts<S>(Bad()))); },
    [] { return InPairs(Texts<S>(Bad())); },
};
INSTANTIATE_TEST_SUITE_P(, Utf8Test, ::testing::ValuesIn(kColumns));

TEST(Utf8, TakesNoCharacterThatIsSplitBetweenTwoValues) {
  ExpectBad(Texts<S>({"a", "b\xc3", "\xa9"}), /*row=*/1);
}

TEST(Utf8, TakesEachValueOfADictionaryForOneOfTheRows) {
  const auto indexes = testing::Column(arrow::int8(), "[0, 1, 2]");
  const auto dictionary = arrow::DictionaryArray::FromArrays(
      arrow::dictionary(arrow::int8(), arrow::utf8()), indexes, Texts<S>(Bad()));
  EXPECT_TRUE(Check(dictionary.ValueOrDie()).IsInvalid());
}

TEST(Utf8, PassesOverNullsAndBinary) {
  const auto bad = Texts<S>(Bad());
  const auto valid = testing::Column(arrow::boolean(), "[true, true, false, true, true]");
  const auto data = bad->data()->Copy();
  data->buffers[0] = valid->data()->buffers[1];
  data->null_count = 1;
  EXPECT_TRUE(Check(arrow::MakeArray(data)).ok());
  EXPECT_TRUE(Check(Texts<arrow::BinaryBuilder>(Bad())).ok());
  EXPECT_TRUE(Check(Texts<S>({})).ok());
}

TEST(Utf8, CountsRowsFromTheFirst) {
  EXPECT_NE(Check(Texts<S>(Bad()), 100).message().find("row 102"), std::string::npos);
}

}  // namespace
}  // namespace penstock
