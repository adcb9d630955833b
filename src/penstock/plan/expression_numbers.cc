#include "penstock/plan/expression_numbers.h"

#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/function.h>
#include <arrow/compute/registry.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

namespace compute = arrow::compute;
using compute::Expression;
using Call = Expression::Call;
using Names = std::set<std::string_view>;

/// The functions whose results are of their arguments' type, so that a smaller one loses digits.
bool Computes(const std::string& function) {
  static const Names names = {
      "abs",    "add",          "atan2",      "bit_wise_and", "bit_wise_or", "bit_wise_xor",
      "divide", "floor_divide", "hypot",      "logb",         "modulo",      "multiply",
      "negate", "power",        "shift_left", "shift_right",  "subtract"};
  constexpr std::string_view kChecked = "_checked";
  std::string_view name = function;
  if (name.ends_with(kChecked)) name.remove_suffix(kChecked.size());
  return names.contains(name);
}

bool Chooses(const std::string& function) {
  static const Names names = {"case_when", "choose",           "coalesce",
                              "if_else",   "max_element_wise", "min_element_wise"};
  return names.contains(function);
}

/// Each comparison by the one of its sides exchanged.
const std::map<std::string, std::string>& Comparisons() {
  static const std::map<std::string, std::string> names = {
      {"equal", "equal"},  {"not_equal", "not_equal"},
      {"less", "greater"}, {"less_equal", "greater_equal"},
      {"greater", "less"}, {"greater_equal", "less_equal"},
  };
  return names;
}

const arrow::Scalar* ConstantOf(const Expression& argument) {
  const arrow::Datum* literal = argument.literal();
  return literal != nullptr && literal->is_scalar() ? literal->scalar().get() : nullptr;
}

bool IsNumber(const arrow::Scalar* constant) {
  return constant != nullptr && constant->is_valid &&
         (arrow::is_integer(constant->type->id()) || arrow::is_floating(constant->type->id()));
}

bool IsFraction(const Expression& argument) {
  const arrow::Scalar* constant = ConstantOf(argument);
  return IsNumber(constant) && arrow::is_floating(constant->type->id());
}

bool IsWholeColumn(const Expression& argument) {
  return ConstantOf(argument) == nullptr && arrow::is_integer(argument.type()->id());
}

bool IsDecimal(const Expression& argument) { return arrow::is_decimal(argument.type()->id()); }

Expression Always(const Expression& number) { return compute::equal(number, number); }
Expression Never(const Expression& number) { return compute::not_equal(number, number); }

Expression WholeLiteral(double value, const std::shared_ptr<arrow::DataType>& type) {
  auto scalar = arrow::is_unsigned_integer(type->id())
                    ? arrow::MakeScalar(type, static_cast<uint64_t>(value))
                    : arrow::MakeScalar(type, static_cast<int64_t>(value));
  return compute::literal(scalar.MoveValueUnsafe());
}

/// Returns `whole` compared with `fraction`, both exactly as they are; null where `whole` is.
Expression Compared(const std::string& comparison, const Expression& whole, double fraction) {
  const bool asks_greater = comparison == "greater" || comparison == "greater_equal";
  const bool asks_less = comparison == "less" || comparison == "less_equal";
  const bool asks_other = comparison == "not_equal";
  const auto type = whole.type()->GetSharedPtr();
  const bool is_unsigned = arrow::is_unsigned_integer(type->id());
  const double above_all = std::ldexp(1.0, type->bit_width() - (is_unsigned ? 0 : 1));
  const double least = is_unsigned ? 0 : -above_all;
  if (std::isnan(fraction)) return asks_other ? Always(whole) : Never(whole);
  if (fraction < least) return asks_greater || asks_other ? Always(whole) : Never(whole);
  if (fraction >= above_all) return asks_less || asks_other ? Always(whole) : Never(whole);
  const double floor = std::floor(fraction);
  const Expression limit = WholeLiteral(floor, type);
  if (floor == fraction) return compute::call(comparison, {whole, limit});
  if (asks_greater) return compute::greater(whole, limit);
  if (asks_less) return compute::less_equal(whole, limit);
  return asks_other ? Always(whole) : Never(whole);
}

Result<std::optional<Expression>> ComparedExactly(const Call& call, const std::string& exchanged) {
  const bool is_left = IsFraction(call.arguments[0]);
  const Expression& whole = call.arguments[is_left ? 1 : 0];
  const Expression& fraction = call.arguments[is_left ? 0 : 1];
  if (!IsFraction(fraction) || !IsWholeColumn(whole)) return std::nullopt;
  PENSTOCK_TRY(const auto value, compute::Cast(*fraction.literal(), arrow::float64()));
  const double number = value.scalar_as<arrow::DoubleScalar>().value;
  return Compared(is_left ? exchanged : call.function_name, whole, number);
}

/// Returns the call with all arguments of the types that its function wants for theirs.
Result<std::optional<Expression>> WithCommonTypes(Call call) {
  std::vector<arrow::TypeHolder> types;
  for (const Expression& argument : call.arguments) types.emplace_back(argument.type());
  PENSTOCK_TRY(const auto function,
               compute::GetFunctionRegistry()->GetFunction(call.function_name));
  auto wanted = types;
  if (!function->DispatchBest(&wanted).ok()) return std::nullopt;  // Bind will say why.
  for (size_t i = 0; i < types.size(); ++i) {
    if (wanted[i].type->Equals(*types[i].type)) continue;
    const auto options = compute::CastOptions::Safe(wanted[i]);
    Expression& argument = call.arguments[i];
    if (argument.literal() == nullptr) {
      argument = compute::call("cast", {argument}, options);
    } else {
      PENSTOCK_TRY(auto value, compute::Cast(*argument.literal(), options));
      argument = compute::literal(std::move(value));
    }
  }
  return compute::call(call.function_name, std::move(call.arguments), std::move(call.options));
}

/// Returns the call with whole constants as decimals of no more digits than they have: beside those
/// of any int64 there is no room for the digits of a quotient.
Call WithDecimals(Call call) {
  for (Expression& argument : call.arguments) {
    const arrow::Scalar* constant = ConstantOf(argument);
    if (!IsNumber(constant) || !arrow::is_integer(constant->type->id())) continue;
    const std::string digits = constant->ToString();
    const auto count = static_cast<int32_t>(digits.size() - (digits.starts_with('-') ? 1 : 0));
    argument = compute::literal(std::make_shared<arrow::Decimal128Scalar>(
        arrow::Decimal128(digits), arrow::decimal128(count, 0)));
  }
  return call;
}

Result<std::optional<Expression>> Computed(const Call& call) {
  std::vector<arrow::Datum> values;
  for (const Expression& argument : call.arguments) values.push_back(*argument.literal());
  PENSTOCK_TRY(auto value, compute::CallFunction(call.function_name, values, call.options.get()));
  return compute::literal(std::move(value));
}

}  // namespace

Result<std::optional<Expression>> WithNumbersAsGiven(const Call& call) {
  const auto& arguments = call.arguments;
  const auto is_constant = [](const Expression& argument) {
    return IsNumber(ConstantOf(argument));
  };
  if (std::ranges::none_of(arguments, is_constant)) return std::nullopt;
  const auto comparison = Comparisons().find(call.function_name);
  if (comparison != Comparisons().end()) {
    return std::ranges::any_of(arguments, IsDecimal) ? WithCommonTypes(WithDecimals(call))
                                                     : ComparedExactly(call, comparison->second);
  }
  if (Computes(call.function_name)) {
    if (std::ranges::all_of(arguments, is_constant)) return Computed(call);
    return WithCommonTypes(std::ranges::any_of(arguments, IsDecimal) ? WithDecimals(call) : call);
  }
  const bool mixes =
      std::ranges::any_of(arguments, IsFraction) && std::ranges::any_of(arguments, IsWholeColumn);
  if (Chooses(call.function_name) && mixes) return WithCommonTypes(call);
  return std::nullopt;
}

}  // namespace penstock
