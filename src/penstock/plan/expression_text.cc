#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/plan/expression.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

constexpr size_t kOptionTextMax = 60;

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
      {"floor_divide", "//"},
      {"modulo", "%"},
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

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string OptionsText(const Json& options) {
  std::string text;
  for (const auto& [name, value] : options.items()) {
    std::string shown = Dump(value);
    if (shown.size() > kOptionTextMax) shown = shown.substr(0, kOptionTextMax) + "…";
    text += ", " + name + "=" + shown;
  }
  return text;
}

std::string CallText(const Json& json) {
  const auto& name = json.at("call").get_ref<const std::string&>();
  const Json& arguments = json.at("arguments");
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
  if (json.contains("options") && json.at("options").is_object()) {
    text += OptionsText(json.at("options"));
  }
  return text + ")";
}

}  // namespace

std::string ExpressionText(const Json& json) {
  if (json.is_object()) {
    if (json.contains("column") && json.at("column").is_string()) {
      return json.at("column").get<std::string>();
    }
    const bool call = json.contains("call") && json.at("call").is_string();
    if (call && json.contains("arguments") && json.at("arguments").is_array()) {
      return CallText(json);
    }
    if (json.contains("position")) return "row " + Dump(json.at("position"));
    if (json.contains("literal")) return Dump(json.at("literal"));
  }
  return Dump(json);
}

}  // namespace penstock
