#include <nlohmann/json.hpp>

#include "fuzzing.h"
#include "penstock/plan/expression.h"
#include "penstock/plan/logical.h"

/// Expressions and whole plans as JSON.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  const auto json = nlohmann::json::parse(data, data + size, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return 0;
  static const auto kSchema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("t", arrow::utf8()),
                     arrow::field("l", arrow::list(arrow::float64()))});
  if (const auto expression = ExpressionFromJson(json); expression.ok()) {
    const auto bound = BindExpression(*expression, *kSchema);
    if (bound.ok()) Require(bound->type() != nullptr, "a bound expression has a type");
  }
  const auto plan = PlanFromJson(json);
  if (!plan.ok()) return 0;
  const auto written = PlanToJson(*plan);
  Require(written.ok(), "a plan that was read can be written");
  const auto again = PlanFromJson(*written);
  Require(again.ok(), "a plan that was written can be read");
  Require(PlanToJson(*again).ValueOr({}) == *written, "a plan survives its JSON form");
  if (ValidatePlan(*plan).ok()) Require(!PlanText(*plan).empty(), "a plan can be shown");
  return 0;
}
