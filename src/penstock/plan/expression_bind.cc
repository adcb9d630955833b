#include <arrow/array/builder_base.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>

#include <algorithm>

#include "penstock/plan/expression.h"
#include "penstock/plan/expression_division.h"
#include "penstock/plan/expression_nulls.h"
#include "penstock/plan/expression_numbers.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using compute::Expression;
using Call = Expression::Call;
using TypePointer = std::shared_ptr<arrow::DataType>;

bool IsText(const Expression& argument) {
  const arrow::DataType& type = *argument.type();
  const bool is_dictionary = type.id() == arrow::Type::DICTIONARY;
  return arrow::is_string(is_dictionary
                              ? static_cast<const arrow::DictionaryType&>(type).value_type()->id()
                              : type.id());
}

bool IsNull(const Expression& argument) { return argument.type()->id() == arrow::Type::NA; }

Expression MadeOf(const Call& call) {
  return compute::call(call.function_name, call.arguments, call.options);
}

/// Leaves out the values that the type cannot hold: nothing of that type equals them.
Result<std::shared_ptr<arrow::Array>> ValuesOfType(const arrow::Array& values,
                                                   const TypePointer& type) {
  const auto whole = compute::Cast(values, type);
  if (whole.ok()) return whole;
  PENSTOCK_TRY(const auto builder, arrow::MakeBuilder(type));
  for (int64_t i = 0; i < values.length(); ++i) {
    PENSTOCK_TRY(const auto value, values.GetScalar(i));
    const auto cast = compute::Cast(arrow::Datum(value), type);
    if (cast.ok()) PENSTOCK_RETURN_NOT_OK(builder->AppendScalar(*cast->scalar()));
  }
  return builder->Finish();
}

/// Returns whether values of the one type may equal values of the other.
bool AreAlike(const arrow::DataType& left, const arrow::DataType& right) {
  const auto is_time = [](const arrow::DataType& type) {
    return arrow::is_date(type.id()) || type.id() == arrow::Type::TIMESTAMP;
  };
  return right.id() == arrow::Type::NA ||
         (arrow::is_numeric(left.id()) && arrow::is_numeric(right.id())) ||
         (arrow::is_base_binary_like(left.id()) && arrow::is_base_binary_like(right.id())) ||
         (is_time(left) && is_time(right));
}

Result<Expression> InFittingValues(const Call& call) {
  const auto& options = static_cast<const compute::SetLookupOptions&>(*call.options);
  const TypePointer type = call.arguments[0].type()->GetSharedPtr();
  if (!AreAlike(*type, *options.value_set.type())) return MadeOf(call);
  PENSTOCK_TRY(auto values, ValuesOfType(*options.value_set.make_array(), type));
  return compute::call(
      call.function_name, call.arguments,
      compute::SetLookupOptions(arrow::Datum(std::move(values)), options.null_matching_behavior));
}

Expression Joined(Call call) {
  call.arguments.push_back(compute::literal(""));
  return compute::call("binary_join_element_wise", std::move(call.arguments),
                       compute::JoinOptions());
}

/// Returns a call, whose arguments are bound, in the form that Arrow is to bind.
Result<Expression> Adapted(const Call& call, const arrow::Schema& schema) {
  if (call.function_name == "is_in" && call.options != nullptr) return InFittingValues(call);
  if (call.function_name == "add" && std::ranges::any_of(call.arguments, IsText)) {
    return Joined(call);
  }
  PENSTOCK_TRY(auto division, DivisionByFunctions(call));
  if (division) return BindExpression(*division, schema);
  PENSTOCK_TRY(auto numbers, WithNumbersAsGiven(call));
  return numbers ? *std::move(numbers) : MadeOf(call);
}

}  // namespace

Result<Expression> BindExpression(const Expression& expression, const arrow::Schema& schema) {
  const Call* found = expression.call();
  if (found == nullptr) return expression.Bind(schema);
  Call call = *found;
  for (Expression& argument : call.arguments) {
    PENSTOCK_TRY(argument, BindExpression(argument, schema));
  }
  PENSTOCK_TRY(const Expression adapted, Adapted(call, schema));
  Result<Expression> bound = adapted.Bind(schema);
  if (bound.ok() || std::ranges::none_of(call.arguments, IsNull)) return bound;
  Result<Expression> over_nulls = BindOverNulls(call, schema);
  return over_nulls.ok() ? over_nulls : bound;
}

}  // namespace penstock
