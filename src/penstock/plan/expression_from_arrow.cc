#include "penstock/plan/expression_from_arrow.h"

#include <arrow/array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/function.h>
#include <arrow/compute/registry.h>
#include <arrow/util/base64.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/base/check.h"
#include "penstock/plan/compute_functions.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using Json = nlohmann::json;

Result<Json> NumberJson(const arrow::Scalar& scalar) {
  if (arrow::is_unsigned_integer(scalar.type->id())) {
    PENSTOCK_TRY(const auto cast,
                 compute::Cast(arrow::Datum(scalar.GetSharedPtr()), arrow::uint64()));
    return cast.scalar_as<arrow::UInt64Scalar>().value;
  }
  if (arrow::is_signed_integer(scalar.type->id())) {
    PENSTOCK_TRY(const auto cast,
                 compute::Cast(arrow::Datum(scalar.GetSharedPtr()), arrow::int64()));
    return cast.scalar_as<arrow::Int64Scalar>().value;
  }
  PENSTOCK_TRY(const auto cast,
               compute::Cast(arrow::Datum(scalar.GetSharedPtr()), arrow::float64()));
  const double value = cast.scalar_as<arrow::DoubleScalar>().value;
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf");
}

/// Returns what stands for the value in the JSON form of a literal of its type.
Result<Json> ValueJson(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return Json();
  const arrow::Type::type id = scalar.type->id();
  if (id == arrow::Type::BOOL) {
    return dynamic_cast<const arrow::BooleanScalar&>(scalar).value;
  }
  if (arrow::is_integer(id) || arrow::is_floating(id)) return NumberJson(scalar);
  if (arrow::is_base_binary_like(id) || id == arrow::Type::FIXED_SIZE_BINARY) {
    const auto bytes = dynamic_cast<const arrow::BaseBinaryScalar&>(scalar).view();
    return arrow::is_string(id) ? Json(std::string(bytes))
                                : Json(arrow::util::base64_encode(bytes));
  }
  if (id == arrow::Type::TIMESTAMP || id == arrow::Type::TIME64 || id == arrow::Type::DURATION) {
    PENSTOCK_TRY(const auto ticks,
                 compute::Cast(arrow::Datum(scalar.GetSharedPtr()), arrow::int64()));
    return ticks.scalar_as<arrow::Int64Scalar>().value;
  }
  if (id == arrow::Type::TIME32) return dynamic_cast<const arrow::Time32Scalar&>(scalar).value;
  if (arrow::is_date(id) || arrow::is_decimal(id)) {
    return scalar.ToString();
  }
  return Status::NotImplemented("An expression holds a constant of a type that is not supported: ",
                                scalar.type->ToString());
}

Result<Json> LiteralJson(const arrow::Scalar& scalar) {
  PENSTOCK_TRY(Json value, ValueJson(scalar));
  if (scalar.type->id() == arrow::Type::NA) return Json{{"literal", nullptr}};
  return Json{{"literal", std::move(value)}, {"type", scalar.type->ToString()}};
}

Json FieldJson(const std::string& field, Json parent) {
  return {{"call", "struct_field"},
          {"arguments", Json::array({std::move(parent)})},
          {"options", {{"field", field}}}};
}

Result<Json> ColumnJson(const arrow::FieldRef& reference) {
  if (const std::string* name = reference.name()) return Json{{"column", *name}};
  const std::vector<arrow::FieldRef>* nested = reference.nested_refs();
  if (nested == nullptr || nested->empty()) {
    return Status::NotImplemented("An expression names a column by its position; name it: ",
                                  reference.ToString());
  }
  PENSTOCK_TRY(Json json, ColumnJson(nested->front()));
  for (size_t i = 1; i < nested->size(); ++i) {
    const std::string* name = (*nested)[i].name();
    if (name == nullptr) return ColumnJson((*nested)[i]);  // By position: refused.
    json = FieldJson(*name, std::move(json));
  }
  return json;
}

Result<Json> SetLookupJson(const compute::SetLookupOptions& options) {
  if (options.null_matching_behavior != compute::SetLookupOptions::MATCH) {
    return Status::NotImplemented("nulls that do not match nulls");
  }
  Json values = Json::array();
  if (!options.value_set.is_array()) return Status::NotImplemented("values that are no array");
  const std::shared_ptr<arrow::Array> array = options.value_set.make_array();
  for (int64_t i = 0; i < array->length(); ++i) {
    PENSTOCK_TRY(const auto scalar, array->GetScalar(i));
    PENSTOCK_TRY(values.emplace_back(), ValueJson(*scalar));
  }
  return Json{{"values", std::move(values)}, {"type", array->type()->ToString()}};
}

Result<Json> CastJson(const compute::CastOptions& options) {
  const auto type = options.to_type.GetSharedPtr();
  const bool safe = options == compute::CastOptions::Safe(type);
  if (!safe && !(options == compute::CastOptions::Unsafe(type))) {
    return Status::NotImplemented("a cast that is neither safe nor unsafe");
  }
  return Json{{"type", type->ToString()}, {"safe", safe}};
}

Result<Json> OptionsJson(const std::string& function, const compute::FunctionOptions& options) {
  if (const auto* match = dynamic_cast<const compute::MatchSubstringOptions*>(&options)) {
    return Json{{"pattern", match->pattern}, {"ignore_case", match->ignore_case}};
  }
  if (const auto* lookup = dynamic_cast<const compute::SetLookupOptions*>(&options)) {
    return SetLookupJson(*lookup);
  }
  if (const auto* null = dynamic_cast<const compute::NullOptions*>(&options)) {
    return Json{{"nan_is_null", null->nan_is_null}};
  }
  if (const auto* cast = dynamic_cast<const compute::CastOptions*>(&options)) {
    return CastJson(*cast);
  }
  PENSTOCK_TRY(const auto known, compute::GetFunctionRegistry()->GetFunction(function));
  const compute::FunctionOptions* defaults = known->default_options();
  if (defaults != nullptr && defaults->Equals(options)) return Json();
  return Status::NotImplemented("options ", options.ToString());
}

Result<Json> CallJson(const compute::Expression::Call& call) {
  Json json{{"call", call.function_name}, {"arguments", Json::array()}};
  for (const compute::Expression& argument : call.arguments) {
    PENSTOCK_TRY(json["arguments"].emplace_back(), ExpressionToJson(argument));
  }
  if (call.options == nullptr) return json;
  auto options = OptionsJson(call.function_name, *call.options);
  if (!options.ok()) {
    return options.status().WithMessage("An expression calls '", call.function_name,
                                        "' in a form that is not supported; write it with "
                                        "penstock.data.col: ",
                                        options.status().message());
  }
  if (!options->is_null()) json["options"] = options.MoveValueUnsafe();
  return json;
}

}  // namespace

Result<Json> ExpressionToJson(const compute::Expression& expression) {
  if (const arrow::Datum* literal = expression.literal()) {
    if (!literal->is_scalar()) {
      return Status::NotImplemented("An expression holds a constant that is not one value");
    }
    return LiteralJson(*literal->scalar());
  }
  if (const arrow::FieldRef* reference = expression.field_ref()) return ColumnJson(*reference);
  const compute::Expression::Call* call = expression.call();
  PENSTOCK_CHECK(call != nullptr);
  return CallJson(*call);
}

Result<Json> ExpressionToJson(std::shared_ptr<arrow::Buffer> serialised) {
  PENSTOCK_RETURN_NOT_OK(PrepareFunctions());
  PENSTOCK_TRY(const compute::Expression expression, compute::Deserialize(std::move(serialised)));
  return ExpressionToJson(expression);
}

}  // namespace penstock
