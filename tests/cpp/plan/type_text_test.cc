#include "penstock/plan/type_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

TEST(TypeText, ReadsEveryTypeFromWhatArrowWrites) {
  const auto unit = arrow::TimeUnit::MICRO;
  for (const auto& type : {arrow::null(),
                           arrow::boolean(),
                           arrow::uint8(),
                           arrow::int64(),
                           arrow::float16(),
                           arrow::float32(),
                           arrow::float64(),
                           arrow::utf8(),
                           arrow::large_utf8(),
                           arrow::binary(),
                           arrow::large_binary(),
                           arrow::fixed_size_binary(4),
                           arrow::date32(),
                           arrow::date64(),
                           arrow::time32(arrow::TimeUnit::SECOND),
                           arrow::time64(unit),
                           arrow::timestamp(unit),
                           arrow::timestamp(unit, "Europe/Berlin"),
                           arrow::duration(unit),
                           arrow::decimal128(10, 2),
                           arrow::decimal256(50, -3),
                           arrow::list(arrow::int64()),
                           arrow::list(arrow::field("x", arrow::utf8(), false)),
                           arrow::large_list(arrow::int8()),
                           arrow::fixed_size_list(arrow::float32(), 3),
                           arrow::struct_({arrow::field("a", arrow::timestamp(unit, "UTC")),
                                           arrow::field("b", arrow::list(arrow::int8()), false)}),
                           arrow::struct_({}),
                           arrow::map(arrow::utf8(), arrow::decimal128(3, 1)),
                           arrow::dictionary(arrow::int32(), arrow::utf8())}) {
    const auto read = TypeFromText(type->ToString());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE((*read)->Equals(*type)) << type->ToString() << " as " << (*read)->ToString();
  }
  EXPECT_TRUE((*TypeFromText("float32"))->Equals(*arrow::float32()));
  EXPECT_TRUE((*TypeFromText("date32"))->Equals(*arrow::date32()));
}

TEST(TypeText, RefusesOtherTextNamingIt) {
  for (const std::string text :
       {"", "int63", "int64 ", "timestamp[xs]", "timestamp[us", "time32[us]", "decimal128(99, 1)",
        "decimal128(3)", "list<int64>", "list<item: >", "struct<a: int64", "map<string>",
        "fixed_size_list<item: int8>[-1]", "dictionary<values=string, indices=string, ordered=0>",
        "list<item: int64>>"}) {
    const Status status = TypeFromText(text).status();
    EXPECT_TRUE(status.IsInvalid()) << text;
    EXPECT_THAT(status.message(), HasSubstr("'" + text + "'"));
  }
}

TEST(TypeText, RefusesToNestWithoutEnd) {
  std::string text = "int8";
  for (int i = 0; i < 100; ++i) text = "list<item: " + text + ">";
  EXPECT_TRUE(TypeFromText(text).status().IsInvalid());
}

}  // namespace
}  // namespace penstock::testing
