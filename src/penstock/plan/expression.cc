#include "penstock/plan/expression.h"

#include <arrow/compute/function.h>
#include <arrow/compute/registry.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "penstock/plan/compute_functions.h"
#include "penstock/plan/expression_options.h"
#include "penstock/plan/expression_positions.h"
#include "penstock/plan/expression_values.h"

namespace penstock {
namespace {

using Json = nlohmann::json;
namespace compute = arrow::compute;

constexpr int kDepthMax = 1000;
constexpr std::string_view kBoth = "and_kleene";
constexpr std::string_view kCast = "cast";
constexpr std::string_view kRandom = "random";  // The only one with another value every time.

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

Status CheckArity(const std::string& name, const compute::Function& function, size_t arguments) {
  const auto wanted = static_cast<size_t>(function.arity().num_args);
  const bool fits = function.arity().is_varargs ? arguments >= wanted : arguments == wanted;
  if (fits) return Status::OK();
  return Status::Invalid("An expression calls '", name, "', which takes ", wanted,
                         function.arity().is_varargs ? " or more" : "", " arguments, with ",
                         arguments);
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
  if (name == kCast) return CheckArity(name, function, arguments);
  if (function.kind() != compute::Function::SCALAR || name == kRandom) {
    return Status::Invalid("An expression calls a function that does not work row by row: '", name,
                           "'");
  }
  return CheckArity(name, function, arguments);
}

Result<std::shared_ptr<compute::FunctionOptions>> OptionsOf(const std::string& name,
                                                            const Json& json) {
  static const Json kNone;
  const auto found = json.find("options");
  const Json& options = found == json.end() ? kNone : *found;
  PENSTOCK_TRY(const auto function, compute::GetFunctionRegistry()->GetFunction(name));
  if (options.is_null() && !function->doc().options_required && name != kCast) return nullptr;
  return ReadFunctionOptions(name, options);
}

Result<compute::Expression> PositionOf(const Json& name) {
  if (name == "id") return compute::field_ref(arrow::FieldRef(std::string(kIdColumn)));
  if (name == "place") return compute::field_ref(arrow::FieldRef(std::string(kPlaceColumn)));
  return Status::Invalid("An expression's position must be \"id\" or \"place\", not ", Dump(name));
}

Result<compute::Expression> FromJson(const Json& json, int depth) {
  if (depth > kDepthMax) {
    return Status::Invalid("An expression is nested more than ", kDepthMax, " deep");
  }
  if (IsColumn(json)) {
    return compute::field_ref(arrow::FieldRef(json.at("column").get<std::string>()));
  }
  if (json.is_object() && json.contains("position")) return PositionOf(json.at("position"));
  if (json.is_object() && json.contains("literal")) {
    PENSTOCK_TRY(auto scalar, ScalarFromJson(json));
    return compute::literal(std::move(scalar));
  }
  if (IsCall(json)) {
    const auto name = json.at("call").get<std::string>();
    const Json& arguments_json = json.at("arguments");
    PENSTOCK_RETURN_NOT_OK(CheckFunction(name, arguments_json.size()));
    std::vector<compute::Expression> arguments;
    for (const Json& argument : arguments_json) {
      PENSTOCK_TRY(arguments.emplace_back(), FromJson(argument, depth + 1));
    }
    PENSTOCK_TRY(auto options, OptionsOf(name, json));
    return compute::call(name, std::move(arguments), std::move(options));
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

}  // namespace

Result<compute::Expression> ExpressionFromJson(const Json& json) {
  PENSTOCK_RETURN_NOT_OK(PrepareFunctions());
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

}  // namespace penstock
