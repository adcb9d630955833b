#include "penstock/plan/expression.h"

#include <arrow/compute/cast.h>
#include <arrow/compute/function.h>
#include <arrow/compute/initialize.h>
#include <arrow/compute/registry.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace penstock {
namespace {

using Json = nlohmann::json;
namespace compute = arrow::compute;

constexpr int kDepthMax = 1000;
constexpr std::string_view kBoth = "and_kleene";

Status PrepareCompute() {
  static const Status status = compute::Initialize();
  return status;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsCall(const Json& json) {
  return json.is_object() && json.contains("call") && json.at("call").is_string() &&
         json.contains("arguments") && json.at("arguments").is_array();
}

bool IsColumn(const Json& json) {
  return json.is_object() && json.contains("column") && json.at("column").is_string();
}

using TypesByName = std::map<std::string, std::shared_ptr<arrow::DataType>, std::less<>>;

TypesByName MakeTypesByName() {
  TypesByName types = {
      {"boolean", arrow::boolean()}, {"float16", arrow::float16()},
      {"float32", arrow::float32()}, {"float64", arrow::float64()},
      {"utf8", arrow::utf8()},       {"large_utf8", arrow::large_utf8()},
      {"date32", arrow::date32()},   {"date64", arrow::date64()},
  };
  std::vector<std::shared_ptr<arrow::DataType>> own_names = {
      arrow::null(),         arrow::boolean(), arrow::int8(),       arrow::int16(),
      arrow::int32(),        arrow::int64(),   arrow::uint8(),      arrow::uint16(),
      arrow::uint32(),       arrow::uint64(),  arrow::float16(),    arrow::float32(),
      arrow::float64(),      arrow::utf8(),    arrow::large_utf8(), arrow::binary(),
      arrow::large_binary(), arrow::date32(),  arrow::date64(),
  };
  for (const auto unit : arrow::TimeUnit::values()) {
    own_names.push_back(arrow::timestamp(unit));
    own_names.push_back(arrow::duration(unit));
  }
  for (const auto& type : own_names) types.emplace(type->ToString(), type);
  return types;
}

Result<std::shared_ptr<arrow::DataType>> TypeNamed(const Json& name) {
  static const TypesByName types = MakeTypesByName();
  if (name.is_string()) {
    const auto found = types.find(name.get_ref<const std::string&>());
    if (found != types.end()) return found->second;
  }
  return Status::Invalid(
      "An expression's literal names a type that is not known; use an Arrow "
      "type such as \"int64\" or \"string\": ",
      Dump(name));
}

Result<std::shared_ptr<arrow::Scalar>> PlainScalar(const Json& value) {
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

Result<compute::Expression> LiteralFromJson(const Json& json) {
  const Json& value = json.at("literal");
  std::shared_ptr<arrow::DataType> type;
  if (json.contains("type") && !json.at("type").is_null()) {
    PENSTOCK_TRY(type, TypeNamed(json.at("type")));
  }
  if (value.is_null()) {
    return compute::literal(arrow::MakeNullScalar(type ? type : arrow::null()));
  }
  PENSTOCK_TRY(std::shared_ptr<arrow::Scalar> scalar, PlainScalar(value));
  if (!type || scalar->type->Equals(*type)) return compute::literal(std::move(scalar));
  Result<arrow::Datum> cast = compute::Cast(arrow::Datum(std::move(scalar)), type);
  if (!cast.ok()) {
    return Status::Invalid("An expression's literal does not fit its type ", type->ToString(), " (",
                           cast.status().message(), "): ", Dump(value));
  }
  return compute::literal(*std::move(cast));
}

Status CheckFunction(const std::string& name, size_t arguments) {
  const auto found = compute::GetFunctionRegistry()->GetFunction(name);
  if (!found.ok()) {
    return Status::Invalid(
        "An expression calls a function that does not exist; use the name of "
        "an Arrow compute function such as 'greater': '",
        name, "'");
  }
  const compute::Function& function = **found;
  if (function.kind() != compute::Function::SCALAR) {
    return Status::Invalid("An expression calls a function that does not work row by row: '", name,
                           "'");
  }
  if (function.doc().options_required) {
    return Status::Invalid(
        "An expression calls a function that needs options, which have no "
        "place in an expression: '",
        name, "'");
  }
  const auto wanted = static_cast<size_t>(function.arity().num_args);
  const bool fits = function.arity().is_varargs ? arguments >= wanted : arguments == wanted;
  if (!fits) {
    return Status::Invalid("An expression calls '", name, "', which takes ", wanted,
                           function.arity().is_varargs ? " or more" : "", " arguments, with ",
                           arguments);
  }
  return Status::OK();
}

Result<compute::Expression> FromJson(const Json& json, int depth) {
  if (depth > kDepthMax) {
    return Status::Invalid("An expression is nested more than ", kDepthMax, " deep");
  }
  if (IsColumn(json)) {
    return compute::field_ref(arrow::FieldRef(json.at("column").get<std::string>()));
  }
  if (json.is_object() && json.contains("literal")) return LiteralFromJson(json);
  if (IsCall(json)) {
    const auto name = json.at("call").get<std::string>();
    const Json& arguments_json = json.at("arguments");
    PENSTOCK_RETURN_NOT_OK(CheckFunction(name, arguments_json.size()));
    std::vector<compute::Expression> arguments;
    for (const Json& argument : arguments_json) {
      PENSTOCK_TRY(arguments.emplace_back(), FromJson(argument, depth + 1));
    }
    return compute::call(name, std::move(arguments));
  }
  return Status::Invalid(
      "An expression must be {\"column\": name}, {\"literal\": value} or "
      "{\"call\": function, \"arguments\": [..]}, not ",
      Dump(json));
}

void AppendColumns(const Json& json, std::vector<std::string>& columns) {
  if (IsColumn(json)) {
    auto name = json.at("column").get<std::string>();
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
      columns.push_back(std::move(name));
    }
  } else if (IsCall(json)) {
    for (const Json& argument : json.at("arguments")) AppendColumns(argument, columns);
  }
}

void AppendConjuncts(const Json& json, std::vector<Json>& conjuncts) {
  if (IsCall(json) && json.at("call") == kBoth) {
    for (const Json& argument : json.at("arguments")) AppendConjuncts(argument, conjuncts);
  } else {
    conjuncts.push_back(json);
  }
}

const std::map<std::string, std::string, std::less<>>& Signs() {
  static const std::map<std::string, std::string, std::less<>> signs = {
      {"equal", "=="},
      {"not_equal", "!="},
      {"less", "<"},
      {"less_equal", "<="},
      {"greater", ">"},
      {"add", "+"},
      {"subtract", "-"},
      {"greater_equal", ">="},
      {"multiply", "*"},
      {"divide", "/"},
      {"and", "and"},
      {"and_kleene", "and"},
      {"or", "or"},
      {"or_kleene", "or"},
      {"xor", "xor"},
      {"add_checked", "+"},
      {"power", "**"},
      {"subtract_checked", "-"},
      {"multiply_checked", "*"},
      {"divide_checked", "/"},
  };
  return signs;
}

std::string CallText(const std::string& name, const Json& arguments) {
  if (name == "invert" && arguments.size() == 1) {
    return "(not " + ExpressionText(arguments[0]) + ")";
  }
  const auto sign = Signs().find(name);
  const bool infix = sign != Signs().end() && arguments.size() == 2;
  const std::string between = infix ? " " + sign->second + " " : ", ";
  std::string text = infix ? "(" : name + "(";
  for (size_t i = 0; i < arguments.size(); ++i) {
    text += (i == 0 ? "" : between) + ExpressionText(arguments[i]);
  }
  return text + ")";
}

}  // namespace

Result<compute::Expression> ExpressionFromJson(const Json& json) {
  PENSTOCK_RETURN_NOT_OK(PrepareCompute());
  return FromJson(json, 0);
}

std::vector<std::string> ColumnsOf(const Json& json) {
  std::vector<std::string> columns;
  AppendColumns(json, columns);
  return columns;
}

Json RenameColumns(const Json& json,
                   const std::vector<std::pair<std::string, std::string>>& renames) {
  Json renamed = json;
  if (IsColumn(json)) {
    const auto& name = json.at("column").get_ref<const std::string&>();
    for (const auto& [from, to] : renames) {
      if (from == name) {
        renamed["column"] = to;
        break;
      }
    }
  } else if (IsCall(json)) {
    for (Json& argument : renamed["arguments"]) argument = RenameColumns(argument, renames);
  }
  return renamed;
}

Json BothOf(const Json& left, const Json& right) {
  return {{"call", kBoth}, {"arguments", Json::array({left, right})}};
}

std::vector<Json> ConjunctsOf(const Json& json) {
  std::vector<Json> conjuncts;
  AppendConjuncts(json, conjuncts);
  return conjuncts;
}

std::string ExpressionText(const Json& json) {
  if (IsColumn(json)) return json.at("column").get<std::string>();
  if (IsCall(json)) return CallText(json.at("call").get<std::string>(), json.at("arguments"));
  if (json.is_object() && json.contains("literal")) return Dump(json.at("literal"));
  return Dump(json);
}

}  // namespace penstock
