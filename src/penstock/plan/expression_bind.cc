#include <arrow/array/builder_base.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>

#include <algorithm>

#include "penstock/plan/expression.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using TypePointer = std::shared_ptr<arrow::DataType>;

bool IsText(const TypePointer& type) {
  if (type == nullptr) return false;
  if (type->id() == arrow::Type::DICTIONARY) {
    return IsText(static_cast<const arrow::DictionaryType&>(*type).value_type());
  }
  return arrow::is_string(type->id());
}

/// Returns the type of an expression; null where it cannot be bound, for Bind to say why.
TypePointer TypeOf(const compute::Expression& expression, const arrow::Schema& schema) {
  const auto bound = expression.Bind(schema);
  return bound.ok() ? bound->type()->GetSharedPtr() : nullptr;
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

Result<compute::Expression> InFittingValues(const compute::Expression::Call& call,
                                            const arrow::Schema& schema) {
  const auto& options = static_cast<const compute::SetLookupOptions&>(*call.options);
  const TypePointer type = TypeOf(call.arguments[0], schema);
  if (type == nullptr || !AreAlike(*type, *options.value_set.type())) {
    return compute::call(call.function_name, call.arguments, call.options);
  }
  PENSTOCK_TRY(auto values, ValuesOfType(*options.value_set.make_array(), type));
  return compute::call(
      call.function_name, call.arguments,
      compute::SetLookupOptions(arrow::Datum(std::move(values)), options.null_matching_behavior));
}

Result<compute::Expression> Adapted(const compute::Expression& expression,
                                    const arrow::Schema& schema) {
  const auto* found = expression.call();
  if (found == nullptr) return expression;
  compute::Expression::Call call = *found;
  for (compute::Expression& argument : call.arguments) {
    PENSTOCK_TRY(argument, Adapted(argument, schema));
  }
  if (call.function_name == "is_in" && call.options != nullptr) {
    return InFittingValues(call, schema);
  }
  const bool adds_text =
      call.function_name == "add" &&
      std::any_of(call.arguments.begin(), call.arguments.end(),
                  [&](const auto& argument) { return IsText(TypeOf(argument, schema)); });
  if (!adds_text) return compute::call(call.function_name, call.arguments, call.options);
  call.arguments.push_back(compute::literal(""));
  return compute::call("binary_join_element_wise", std::move(call.arguments),
                       compute::JoinOptions());
}

}  // namespace

Result<compute::Expression> BindExpression(const compute::Expression& expression,
                                           const arrow::Schema& schema) {
  PENSTOCK_TRY(const compute::Expression adapted, Adapted(expression, schema));
  return adapted.Bind(schema);
}

}  // namespace penstock
