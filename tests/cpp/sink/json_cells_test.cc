#include "penstock/sink/json_cells.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <limits>

namespace penstock {
namespace {

std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

/// All values of an array, a slice of which is written: offsets must not get lost.
std::string Written(const std::shared_ptr<arrow::Array>& array, const JsonStyle& style = {}) {
  const auto cells = MakeJsonCells(*array->type(), style).ValueOrDie();
  std::string out;
  for (int64_t row = 0; row < array->length(); ++row) {
    const auto slice = array->Slice(row, 1);
    cells->Bind(*slice);
    EXPECT_TRUE(cells->Append(0, &out).ok());
    if (row + 1 < array->length()) out += ' ';
  }
  return out;
}

std::string Written(const std::shared_ptr<arrow::DataType>& type, const std::string& json,
                    const JsonStyle& style = {}) {
  return Written(Column(type, json), style);
}

std::string Text(std::string_view text, bool ascii) {
  std::string out;
  const Status status = AppendJsonText(text, ascii, &out);
  return status.ok() ? out : status.message();
}

TEST(JsonCellsTest, NumbersKeepAllTheirDigits) {
  EXPECT_EQ(Written(arrow::int64(), "[-9223372036854775808, 9223372036854775807, null]"),
            "-9223372036854775808 9223372036854775807 null");
  EXPECT_EQ(Written(arrow::uint64(), "[18446744073709551615]"), "18446744073709551615");
  EXPECT_EQ(Written(arrow::float64(), "[0.1, 1, 1e300, -0.0, null]"), "0.1 1.0 1e+300 -0.0 null");
  EXPECT_EQ(Written(arrow::float32(), "[0.1]"), "0.1");
  EXPECT_EQ(Written(arrow::float16(), "[1.5]"), "1.5");
  EXPECT_EQ(Written(arrow::decimal128(38, 2), R"(["12345678901234567890.10", "-0.05"])"),
            "12345678901234567890.10 -0.05");
}

TEST(JsonCellsTest, WhatJsonHasNoNumberForIsNull) {
  arrow::DoubleBuilder builder;
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    ASSERT_TRUE(builder.Append(value).ok());
  }
  EXPECT_EQ(Written(builder.Finish().ValueOrDie()), "null null null");
}

TEST(JsonCellsTest, TextIsEscapedWhereItMustBe) {
  EXPECT_EQ(Text("a\"b\\c\n\r\t\x01\x7F/", true), R"("a\"b\\c\n\r\t\u0001\u007f/")");
  EXPECT_EQ(Text("ä😀", true), R"("\u00e4\ud83d\ude00")");
  EXPECT_EQ(Text("ä😀", false), "\"ä😀\"");
  EXPECT_EQ(Text("", true), "\"\"");
}

TEST(JsonCellsTest, TextThatIsNotUtf8IsAnErrorThatSaysWhere) {
  for (const std::string bad : {"\x80", "\xC0\x80", "\xE4", "\xE0\x80\x80", "\xED\xA0\x80",
                                "\xF4\x90\x80\x80", "\xF0\x80\x80\x80", "\xC3("}) {
    EXPECT_THAT(Text("ok" + bad, false), ::testing::HasSubstr("not UTF-8 from byte 2 on"));
  }
}

TEST(JsonCellsTest, TimesAreNumbersOrIsoTextInTheUnitAskedFor) {
  const auto moment = arrow::timestamp(arrow::TimeUnit::MICRO);
  const auto zoned = arrow::timestamp(arrow::TimeUnit::SECOND, "Europe/Berlin");
  EXPECT_EQ(Written(moment, "[-1, 1709251198123456]"), "-1 1709251198123");
  const JsonStyle iso{.iso_dates = true};
  EXPECT_EQ(Written(moment, "[-1, 1709251198123456]", iso),
            R"("1969-12-31T23:59:59.999" "2024-02-29T23:59:58.123")");
  EXPECT_EQ(Written(zoned, "[0]", {.iso_dates = true, .unit = arrow::TimeUnit::SECOND}),
            R"("1970-01-01T00:00:00Z")");
  EXPECT_EQ(Written(arrow::date32(), "[-1, 19782]", iso), R"("1969-12-31" "2024-02-29")");
  EXPECT_EQ(Written(arrow::date32(), "[1]"), "86400000");
  EXPECT_EQ(Written(arrow::time32(arrow::TimeUnit::MILLI), "[3723004]"), R"("01:02:03.004")");
  EXPECT_EQ(Written(arrow::duration(arrow::TimeUnit::SECOND), "[2]"), "2000");
}

TEST(JsonCellsTest, NestedValuesNest) {
  EXPECT_EQ(Written(arrow::list(arrow::int8()), "[[1, null], [], null]"), "[1,null] [] null");
  EXPECT_EQ(Written(arrow::fixed_size_list(arrow::int8(), 2), "[[1, 2], [3, 4]]"), "[1,2] [3,4]");
  const auto fields = arrow::struct_(
      {arrow::field("a\"", arrow::int8()), arrow::field("b", arrow::list(arrow::utf8()))});
  EXPECT_EQ(Written(fields, R"([[1, ["x"]], null, [null, null]])"),
            R"({"a\"":1,"b":["x"]} null {"a\"":null,"b":null})");
  EXPECT_EQ(Written(arrow::map(arrow::utf8(), arrow::int8()), R"([[["k", 1]], []])"),
            R"({"k":1} {})");
  EXPECT_EQ(Written(arrow::map(arrow::int8(), arrow::int8()), "[[[1, 2]]]"), "[[1,2]]");
  EXPECT_EQ(Written(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["x", null, "x"])"),
            R"("x" null "x")");
  EXPECT_EQ(Written(arrow::binary(), R"(["abc"])"), R"("YWJj")");
}

TEST(JsonCellsTest, ATypeWithoutAFormIsRefused) {
  EXPECT_THAT(MakeJsonCells(*arrow::month_interval(), {}).status().message(),
              ::testing::EndsWith("got: month_interval"));
}

}  // namespace
}  // namespace penstock
