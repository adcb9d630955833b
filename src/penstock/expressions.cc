#include "penstock/expressions.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace penstock {
namespace {

using Json = nlohmann::json;

/// Text that is not UTF-8 makes an expression that is refused when it runs, with the text.
Expression FromTree(const Json& tree) {
  try {
    return Expression(tree.dump());
  } catch (const Json::type_error&) {
    const std::string shown = tree.dump(-1, ' ', false, Json::error_handler_t::replace);
    return Expression(Json{{"text that is not UTF-8", shown}}.dump());
  }
}

Expression Literal(const Json& value) { return FromTree({{"literal", value}}); }

}  // namespace

Expression Col(const std::string& name) { return FromTree({{"column", name}}); }

Expression Lit(bool value) { return Literal(value); }
Expression Lit(int value) { return Literal(value); }
Expression Lit(int64_t value) { return Literal(value); }
Expression Lit(double value) {
  if (std::isfinite(value)) return Literal(value);
  return FromTree({{"literal", fmt::format("{}", value)}, {"type", "double"}});
}
Expression Lit(const char* value) { return Literal(value); }
Expression Lit(const std::string& value) { return Literal(value); }

Expression Call(const std::string& function, const std::vector<Expression>& arguments,
                const std::string& options_json) {
  Json call = {{"call", function}, {"arguments", Json::array()}};
  for (const Expression& argument : arguments) {
    call["arguments"].push_back(Json::parse(argument.json(), nullptr, /*allow_exceptions=*/false));
  }
  const Json options = Json::parse(options_json, nullptr, /*allow_exceptions=*/false);
  if (!options.is_object()) return FromTree({{"options that are not a JSON object", options_json}});
  if (!options.empty()) call["options"] = options;
  return FromTree(call);
}

Expression operator==(const Expression& left, const Expression& right) {
  return Call("equal", {left, right});
}
Expression operator!=(const Expression& left, const Expression& right) {
  return Call("not_equal", {left, right});
}
Expression operator<(const Expression& left, const Expression& right) {
  return Call("less", {left, right});
}
Expression operator<=(const Expression& left, const Expression& right) {
  return Call("less_equal", {left, right});
}
Expression operator>(const Expression& left, const Expression& right) {
  return Call("greater", {left, right});
}
Expression operator>=(const Expression& left, const Expression& right) {
  return Call("greater_equal", {left, right});
}
Expression operator+(const Expression& left, const Expression& right) {
  return Call("add", {left, right});
}
Expression operator-(const Expression& left, const Expression& right) {
  return Call("subtract", {left, right});
}
Expression operator*(const Expression& left, const Expression& right) {
  return Call("multiply", {left, right});
}
Expression operator/(const Expression& left, const Expression& right) {
  return Call("divide", {left, right});
}
Expression operator&(const Expression& left, const Expression& right) {
  return Call("and_kleene", {left, right});
}
Expression operator|(const Expression& left, const Expression& right) {
  return Call("or_kleene", {left, right});
}
Expression operator!(const Expression& operand) { return Call("invert", {operand}); }

}  // namespace penstock
