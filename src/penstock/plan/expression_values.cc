#include "penstock/plan/expression_values.h"

#include <arrow/array/builder_base.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/util/base64.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/plan/type_text.h"

namespace penstock {
namespace {

using Json = nlohmann::json;
using ScalarPointer = std::shared_ptr<arrow::Scalar>;
using TypePointer = std::shared_ptr<arrow::DataType>;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<TypePointer> TypeNamed(const Json& name) {
  if (name.is_null()) return nullptr;
  if (name.is_string()) {
    auto type = TypeFromText(name.get_ref<const std::string&>());
    if (type.ok()) return type;
  }
  return Status::Invalid(
      "An expression's literal names a type that is not known; use an Arrow "
      "type such as \"int64\" or \"string\": ",
      Dump(name));
}

Result<ScalarPointer> PlainScalar(const Json& value) {
  if (value.is_boolean()) return arrow::MakeScalar(value.get<bool>());
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return arrow::MakeScalar(number);
    }
    return arrow::MakeScalar(static_cast<int64_t>(number));
  }
  if (value.is_number_integer()) return arrow::MakeScalar(value.get<int64_t>());
  if (value.is_number_float()) return arrow::MakeScalar(value.get<double>());
  if (value.is_string()) return arrow::MakeScalar(value.get<std::string>());
  return Status::Invalid("An expression's literal must be null, a bool, a number or a string, not ",
                         Dump(value));
}

bool IsBytes(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY ||
         type.id() == arrow::Type::FIXED_SIZE_BINARY;
}

/// Bytes travel as base64, since JSON holds text alone.
Result<ScalarPointer> BytesScalar(const Json& value) {
  if (!value.is_string()) return Status::Invalid("not base64");
  PENSTOCK_TRY(std::string bytes, arrow::util::base64_decode(value.get<std::string>()));
  return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::move(bytes)));
}

Result<ScalarPointer> ScalarOf(const Json& value, const TypePointer& type);

Result<std::shared_ptr<arrow::Array>> ArrayOf(const Json& values, const TypePointer& type) {
  PENSTOCK_TRY(const auto builder, arrow::MakeBuilder(type));
  for (const Json& value : values) {
    PENSTOCK_TRY(const ScalarPointer scalar, ScalarOf(value, type));
    PENSTOCK_RETURN_NOT_OK(builder->AppendScalar(*scalar));
  }
  return builder->Finish();
}

Result<ScalarPointer> StructOf(const Json& value, const TypePointer& type) {
  arrow::ScalarVector fields;
  for (const auto& field : type->fields()) {
    const auto found = value.find(field->name());
    PENSTOCK_TRY(fields.emplace_back(),
                 ScalarOf(found == value.end() ? Json() : *found, field->type()));
  }
  return std::make_shared<arrow::StructScalar>(std::move(fields), type);
}

Result<ScalarPointer> ScalarOf(const Json& value, const TypePointer& type) {
  if (value.is_null()) return arrow::MakeNullScalar(type ? type : arrow::null());
  if (type != nullptr && type->id() == arrow::Type::LIST && value.is_array()) {
    const auto& list = static_cast<const arrow::ListType&>(*type);
    PENSTOCK_TRY(auto values, ArrayOf(value, list.value_type()));
    return std::make_shared<arrow::ListScalar>(std::move(values), type);
  }
  if (type != nullptr && type->id() == arrow::Type::STRUCT && value.is_object()) {
    return StructOf(value, type);
  }
  if (type != nullptr && type->id() == arrow::Type::TIME32 && value.is_number_integer()) {
    return std::make_shared<arrow::Time32Scalar>(value.get<int32_t>(), type);
  }
  const bool bytes = type != nullptr && IsBytes(*type);
  PENSTOCK_TRY(ScalarPointer scalar, bytes ? BytesScalar(value) : PlainScalar(value));
  if (!type || scalar->type->Equals(*type)) return scalar;
  auto cast = arrow::compute::Cast(arrow::Datum(std::move(scalar)), type);
  if (!cast.ok()) {
    return Status::Invalid("An expression's literal does not fit its type ", type->ToString(), " (",
                           cast.status().message(), "): ", Dump(value));
  }
  return cast->scalar();
}

/// Returns the type that holds both; null where there is none.
TypePointer CommonType(const TypePointer& left, const TypePointer& right) {
  if (left == nullptr || left->Equals(*right)) return right;
  if (!arrow::is_numeric(left->id()) || !arrow::is_numeric(right->id())) return nullptr;
  const bool fraction = arrow::is_floating(left->id()) || arrow::is_floating(right->id());
  return fraction ? arrow::float64() : arrow::uint64();
}

Result<TypePointer> TypeOfAll(const Json& values) {
  TypePointer type;
  for (const Json& value : values) {
    if (value.is_null()) continue;
    PENSTOCK_TRY(const ScalarPointer scalar, PlainScalar(value));
    TypePointer common = CommonType(type, scalar->type);
    if (common == nullptr) {
      return Status::Invalid("The values of an expression must have one type; got ",
                             type->ToString(), " and ", Dump(value));
    }
    type = std::move(common);
  }
  return type ? type : arrow::null();
}

}  // namespace

Result<ScalarPointer> ScalarFromJson(const Json& json) {
  TypePointer type;
  if (json.contains("type")) {
    PENSTOCK_TRY(type, TypeNamed(json.at("type")));
  }
  return ScalarOf(json.at("literal"), type);
}

Result<std::shared_ptr<arrow::Array>> ArrayFromJson(const Json& values, const Json& type_name) {
  if (!values.is_array()) {
    return Status::Invalid("The values of an expression must be a list, not ", Dump(values));
  }
  PENSTOCK_TRY(TypePointer type, TypeNamed(type_name));
  if (type == nullptr) {
    PENSTOCK_TRY(type, TypeOfAll(values));
  }
  if (type->id() == arrow::Type::NA) {
    return arrow::MakeArrayOfNull(type, static_cast<int64_t>(values.size()));
  }
  return ArrayOf(values, type);
}

}  // namespace penstock
