#include "penstock/plan/expression_options.h"

#include <arrow/compute/exec.h>
#include <arrow/compute/function.h>
#include <arrow/compute/registry.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/plan/expression.h"
#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace compute = arrow::compute;

Json With(Json call, Json options) {
  call["options"] = std::move(options);
  return call;
}

std::shared_ptr<arrow::RecordBatch> Rows() {
  const auto type = arrow::struct_({
      arrow::field("s", arrow::utf8()),
      arrow::field("x", arrow::float64()),
      arrow::field("n", arrow::int8()),
      arrow::field("t", arrow::timestamp(arrow::TimeUnit::SECOND)),
      arrow::field("l", arrow::list(arrow::int32())),
      arrow::field("r", arrow::struct_({arrow::field("a.b", arrow::int64())})),
      arrow::field("m", arrow::map(arrow::utf8(), arrow::int64())),
      arrow::field("f", arrow::fixed_size_list(arrow::int32(), 2)),
      arrow::field("ll", arrow::list(arrow::list(arrow::int32()))),
  });
  const auto rows = arrow::json::ArrayFromJSONString(type, R"([
      ["Abcab", 2.5, 1, "2024-02-29 13:45:10", [3, null, 1], {"a.b": 7}, [["k", 1], ["j", 2]],
       [2, 1], [[1, 2], null, [3]]],
      [null, null, null, null, null, null, null, null, null],
      ["ß", -1.25, -3, "1969-12-31 23:59:59", [], {"a.b": null}, [], [4, null], [[]]]])");
  return arrow::RecordBatch::FromStructArray(rows.ValueOrDie()).ValueOrDie();
}

/// Returns the values as text, or the error.
std::string Evaluate(const Json& json) {
  const auto rows = Rows();
  const auto expression = ExpressionFromJson(json);
  if (!expression.ok()) return expression.status().ToString();
  const auto bound = BindExpression(*expression, *rows->schema());
  if (!bound.ok()) return bound.status().ToString();
  const auto value = compute::ExecuteScalarExpression(*bound, compute::ExecBatch(*rows));
  if (!value.ok()) return value.status().ToString();
  if (value->is_scalar()) return value->scalar()->ToString();
  const auto array = value->make_array();
  const Status valid = array->ValidateFull();
  if (!valid.ok()) return valid.ToString();
  std::string text;
  for (int64_t i = 0; i < array->length(); ++i) {
    const auto scalar = array->GetScalar(i).ValueOrDie();
    text += (i == 0 ? "" : " | ") + (scalar->is_valid ? scalar->ToString() : "null");
  }
  EXPECT_TRUE(array->type()->Equals(*bound->type())) << array->type()->ToString();
  return text;
}

std::string Of(const std::string& function, const std::string& column, Json options) {
  return Evaluate(With(Call(function, {Column(column)}), std::move(options)));
}

TEST(ExpressionOptions, ReachTheFunctionsOfTexts) {
  EXPECT_EQ(Of("match_substring", "s", {{"pattern", "AB"}, {"ignore_case", true}}),
            "true | null | false");
  EXPECT_EQ(Of("replace_substring_regex", "s",
               {{"pattern", "[ab]"}, {"replacement", "_"}, {"max_replacements", 1}}),
            "A_cab | null | ß");
  EXPECT_EQ(Of("utf8_slice_codeunits", "s", {{"start", -2}}), "ab | null | ß");
  EXPECT_EQ(Of("utf8_lpad", "s", {{"width", 6}, {"padding", "*"}}), "*Abcab | null | *****ß");
  EXPECT_EQ(Of("utf8_trim", "s", {{"characters", "Ab"}}), "ca | null | ß");
  EXPECT_THAT(Of("split_pattern", "s", {{"pattern", "b"}}), HasSubstr("[A, ca, ]"));
  EXPECT_THAT(Of("extract_regex", "s", {{"pattern", "(?P<first>[A-Z])"}}), HasSubstr("first"));
  EXPECT_EQ(Of("utf8_replace_slice", "s", {{"start", 0}, {"stop", 1}, {"replacement", "--"}}),
            "--bcab | null | --");
  EXPECT_EQ(Of("utf8_zero_fill", "s", {{"width", 3}}), "Abcab | null | 00ß");
  EXPECT_EQ(Of("starts_with", "s", {{"pattern", "A"}}), "true | null | false");
}

TEST(ExpressionOptions, ReachTheFunctionsOfNumbers) {
  EXPECT_EQ(Of("round", "x", {{"ndigits", 0}, {"round_mode", "half_up"}}), "3 | null | -1");
  EXPECT_EQ(Of("round_to_multiple", "x", {{"multiple", 0.5}}), "2.5 | null | -1");
  EXPECT_EQ(Of("is_null", "x", {{"nan_is_null", true}}), "false | true | false");
  EXPECT_EQ(
      Evaluate(With(Call("max_element_wise", {Column("x"), Literal(0)}), {{"skip_nulls", false}})),
      "2.5 | null | 0");
}

TEST(ExpressionOptions, CastSafelyOrNot) {
  EXPECT_THAT(Of("cast", "x", {{"type", "int64"}}), HasSubstr("2.500000 was truncated"));
  EXPECT_EQ(Of("cast", "x", {{"type", "int64"}, {"safe", false}}), "2 | null | -1");
  EXPECT_EQ(Of("cast", "n", {{"type", "string"}}), "1 | null | -3");
}

TEST(ExpressionOptions, ReachTheFunctionsOfTimes) {
  EXPECT_EQ(Of("floor_temporal", "t", {{"unit", "month"}}),
            "2024-02-01 00:00:00 | null | 1969-12-01 00:00:00");
  EXPECT_EQ(Of("strftime", "t", {{"format", "%Y/%m"}}), "2024/02 | null | 1969/12");
  EXPECT_EQ(Of("day_of_week", "t", {{"count_from_zero", false}}), "4 | null | 3");
  EXPECT_EQ(Evaluate(With(Call("strptime", {Literal("2024-05-06")}),
                          {{"format", "%Y-%m-%d"}, {"unit", "s"}})),
            "2024-05-06 00:00:00");
}

TEST(ExpressionOptions, ReachTheFunctionsOfListsStructsAndMaps) {
  EXPECT_EQ(Of("list_slice", "l", {{"start", 1}, {"stop", 9}}),
            "list<item: int32>[null, 1] | null | list<item: int32>[]");
  EXPECT_EQ(Of("struct_field", "r", {{"field", "a.b"}}), "7 | null | null");
  EXPECT_EQ(Of("struct_field", "r", {{"field", 0}}), "7 | null | null");
  EXPECT_EQ(Of("map_lookup", "m", {{"key", Literal("j")}}), "2 | null | null");
  EXPECT_THAT(Evaluate(With(Call("make_struct", {Column("n")}), {{"names", {"q"}}})),
              HasSubstr("q:"));
}

TEST(ExpressionOptions, LookUpValuesIgnoringThoseThatAColumnCannotHold) {
  EXPECT_EQ(Of("is_in", "n", {{"values", {1, 300, 2.5}}}), "true | false | false");
  EXPECT_EQ(Of("is_in", "n", {{"values", {1, nullptr}}}), "true | true | false");
  EXPECT_EQ(Of("is_in", "s", {{"values", {nullptr}}}), "false | true | false");
  EXPECT_EQ(
      Of("is_in", "t",
         {{"values", {"2024-02-29 13:45:10.5", "1969-12-31 23:59:59"}}, {"type", "timestamp[us]"}}),
      "false | false | true")
      << "a fraction of a second equals no whole one";
  EXPECT_EQ(Of("is_in", "n", {{"values", {1}}, {"null_matching", "emit_null"}}),
            "true | null | false");
  EXPECT_EQ(Of("is_in", "s", {{"values", {"ß"}}}), "false | false | true");
  EXPECT_EQ(Of("is_in", "x", {{"values", Json::array()}}), "false | false | false");
  EXPECT_THAT(Of("is_in", "s", {{"values", {"x", 1}}}), HasSubstr("must have one type"));
}

TEST(ExpressionOptions, AreRefusedByName) {
  struct Case {
    Json json;
    std::string message;
  };
  for (const auto& [json, message] : std::vector<Case>{
           {With(Call("utf8_upper", {Column("s")}), {{"pattern", "x"}}), "takes none here"},
           {With(Call("match_substring", {Column("s")}), {{"patern", "x"}}), "\"pattern\""},
           {With(Call("match_substring", {Column("s")}), {{"pattern", "x"}, {"case", 1}}), "case"},
           {With(Call("match_substring", {Column("s")}), {{"pattern", 3}}), "must be a text"},
           {With(Call("match_substring", {Column("s")}), Json::array()), "must be an object"},
           {With(Call("floor_temporal", {Column("t")}), {{"unit", "decade"}}), "decade"},
           {With(Call("cast", {Column("s")}), {{"type", "int63"}}), "int63"},
           {Call("cast", {Column("s")}), "\"type\" is missing"},
           {With(Call("list_slice", {Column("l")}), {{"start", -1}}), "at least 0"},
           {With(Call("week", {Column("t")}), {{"week_starts_monday", 1}}), "true or false"},
       }) {
    const Status status = ExpressionFromJson(json).status();
    EXPECT_TRUE(status.IsInvalid()) << json;
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr(json["call"].get<std::string>()), HasSubstr(message)));
  }
}

TEST(ExpressionOptions, AreKnownForEveryRowWiseFunctionThatNeedsThem) {
  ASSERT_TRUE(ExpressionFromJson(Literal(1)).ok());
  const auto* registry = compute::GetFunctionRegistry();
  for (const std::string& name : registry->GetFunctionNames()) {
    const auto function = registry->GetFunction(name).ValueOrDie();
    const bool wanted =
        function->kind() == compute::Function::SCALAR && function->doc().options_required;
    if (!wanted || name == "extract_regex_span") continue;
    const auto read = ReadFunctionOptions(name, {{"no_such_option", 1}});
    EXPECT_EQ(read.status().message().find("takes none here"), std::string::npos) << name;
  }
}

TEST(ExpressionLists, SumSortAndFlattenEachRow) {
  EXPECT_EQ(Evaluate(Call("list_value_sum", {Column("l")})), "4 | null | 0");
  EXPECT_EQ(Evaluate(Call("list_value_sum", {Column("f")})), "3 | null | 4");
  EXPECT_EQ(
      Evaluate(Call("list_value_sort", {Column("l"), Literal("ascending"), Literal("at_end")})),
      "list<item: int32>[1, 3, null] | null | list<item: int32>[]");
  EXPECT_EQ(
      Evaluate(Call("list_value_sort", {Column("f"), Literal("descending"), Literal("at_start")})),
      "fixed_size_list<item: int32>[2][2, 1] | null | "
      "fixed_size_list<item: int32>[2][null, 4]");
  EXPECT_EQ(Evaluate(Call("list_value_flatten", {Column("ll")})),
            "list<item: int32>[1, 2, 3] | null | list<item: int32>[]");
  EXPECT_EQ(Evaluate(Call("list_from_fixed", {Column("f")})),
            "list<item: int32>[2, 1] | null | list<item: int32>[4, null]");
}

TEST(ExpressionLists, TakeMapsApart) {
  EXPECT_EQ(Evaluate(Call("map_keys", {Column("m")})),
            "list<item: string>[k, j] | null | list<item: string>[]");
  EXPECT_EQ(Evaluate(Call("map_values", {Column("m")})),
            "list<item: int64>[1, 2] | null | list<item: int64>[]");
}

TEST(ExpressionLists, RefuseListsOfOtherValues) {
  EXPECT_THAT(Evaluate(Call("list_value_sum", {Column("ll")})), HasSubstr("only lists of numbers"));
  EXPECT_THAT(Evaluate(Call("list_value_flatten", {Column("l")})),
              HasSubstr("only lists of lists"));
  EXPECT_THAT(Evaluate(Call("map_keys", {Column("l")})), HasSubstr("only maps"));
}

}  // namespace
}  // namespace penstock::testing
