#include "penstock/block/unify.h"

#include <arrow/json/from_string.h>
#include <arrow/type.h>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<arrow::RecordBatch> Batch(const std::string& name,
                                          const std::shared_ptr<arrow::DataType>& type,
                                          const std::string& json) {
  const auto column = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, type)}), column->length(),
                                  {column});
}

std::shared_ptr<arrow::DataType> UnifiedType(const std::shared_ptr<arrow::DataType>& first,
                                             const std::shared_ptr<arrow::DataType>& other) {
  const auto unified = UnifySchemas(arrow::schema({arrow::field("a", first)}),
                                    arrow::schema({arrow::field("a", other)}));
  return unified.ok() ? (*unified)->field(0)->type() : nullptr;
}

void ExpectMismatch(const Status& status, const std::vector<std::string>& texts) {
  ASSERT_NE(DetailOf(status), nullptr) << status.ToString();
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kSchemaMismatch);
  for (const std::string& text : texts) EXPECT_THAT(status.message(), HasSubstr(text));
}

TEST(UnifySchemasTest, PromotesToTheTypeThatHoldsBoth) {
  EXPECT_TRUE(UnifiedType(arrow::int64(), arrow::float64())->Equals(arrow::float64()));
  EXPECT_TRUE(UnifiedType(arrow::int32(), arrow::int64())->Equals(arrow::int64()));
  EXPECT_TRUE(UnifiedType(arrow::uint32(), arrow::int8())->Equals(arrow::int64()));
  EXPECT_TRUE(UnifiedType(arrow::utf8(), arrow::null())->Equals(arrow::utf8()));
  EXPECT_TRUE(UnifiedType(arrow::null(), arrow::float32())->Equals(arrow::float32()));
  EXPECT_TRUE(UnifiedType(arrow::list(arrow::null()), arrow::list(arrow::int64()))
                  ->Equals(arrow::list(arrow::int64())));
  EXPECT_TRUE(UnifiedType(arrow::dictionary(arrow::int8(), arrow::utf8()), arrow::utf8())
                  ->Equals(arrow::utf8()));
}

TEST(UnifySchemasTest, NeverMakesTextOfNumbers) {
  for (const auto& number : {arrow::int64(), arrow::float64(), arrow::boolean()}) {
    EXPECT_EQ(UnifiedType(number, arrow::utf8()), nullptr);
    EXPECT_EQ(UnifiedType(arrow::utf8(), number), nullptr);
  }
}

TEST(UnifySchemasTest, NamesTheColumnAndBothTypesThatNoTypeHolds) {
  ExpectMismatch(UnifySchemas(arrow::schema({arrow::field("b", arrow::int64())}),
                              arrow::schema({arrow::field("b", arrow::utf8())}))
                     .status(),
                 {"Column 'b' is int64 in one place and string in another"});
}

TEST(UnifySchemasTest, AppendsColumnsThatComeLater) {
  const auto first = arrow::schema(
      {arrow::field("a", arrow::int64(), /*nullable=*/false), arrow::field("b", arrow::int64())});
  const auto other =
      arrow::schema({arrow::field("c", arrow::int64()), arrow::field("b", arrow::int64())});
  const auto unified = UnifySchemas(first, other).ValueOrDie();
  EXPECT_THAT(unified->field_names(), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(unified->field(0)->nullable());
}

TEST(UnifySchemasTest, RefusesTwoColumnsOfOneName) {
  const auto twice =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("a", arrow::int64())});
  ExpectMismatch(UnifySchemas(twice, arrow::schema({arrow::field("a", arrow::int32())})).status(),
                 {"got: a"});
}

TEST(BringToSchemaTest, CastsAndFillsWithNulls) {
  const auto schema =
      arrow::schema({arrow::field("new", arrow::utf8()), arrow::field("a", arrow::float64())});
  const auto brought = BringToSchema(Batch("a", arrow::int64(), "[1, null]"), schema).ValueOrDie();
  EXPECT_TRUE(brought->schema()->Equals(*schema));
  EXPECT_EQ(brought->column(0)->null_count(), 2);
  EXPECT_TRUE(brought->column(1)->Equals(
      arrow::json::ArrayFromJSONString(arrow::float64(), "[1, null]").ValueOrDie()));
}

TEST(BringToSchemaTest, RefusesToChangeAValue) {
  const auto schema = arrow::schema({arrow::field("a", arrow::float64())});
  ExpectMismatch(BringToSchema(Batch("a", arrow::int64(), "[9007199254740993]"), schema).status(),
                 {"Column 'a' is int64", "double", "9007199254740993"});
}

}  // namespace
}  // namespace penstock
