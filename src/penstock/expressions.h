#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "penstock/export.h"

namespace penstock {

/// A value computed row by row from columns by Arrow's compute functions: for Dataset::Filter and
/// Dataset::WithColumns. The types follow from the columns when it runs, as Arrow promotes them;
/// NotImplemented where a function takes no such types. A null among the arguments mostly makes a
/// null.
///
/// An expression is a value and never changes. Nested at most 1000 deep.
class PENSTOCK_API Expression {
 public:
  /// For Col, Lit and Call. `json` is one of
  ///   {"column": "a"}
  ///   {"literal": 3, "type": "int64"}
  ///   {"call": "match_substring", "arguments": [..], "options": {"pattern": "x"}}
  /// where a literal's type may be absent; bytes are base64 with the type "binary".
  explicit Expression(std::string json) : json_(std::move(json)) {}

  /// Returns the JSON form.
  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

/// The column of this name; KeyError when it runs where there is none.
PENSTOCK_API Expression Col(const std::string& name);

/// A constant: bool, int64, double or UTF-8 text. Text that is not UTF-8 is Invalid when it runs.
PENSTOCK_API Expression Lit(bool value);
PENSTOCK_API Expression Lit(int value);
PENSTOCK_API Expression Lit(int64_t value);
PENSTOCK_API Expression Lit(double value);
PENSTOCK_API Expression Lit(const char* value);
PENSTOCK_API Expression Lit(const std::string& value);

/// The call of an Arrow compute function by its name, such as "utf8_upper" or "power": of any that
/// works row by row. `options_json`: the function's own options as a JSON object, named as in
/// Arrow's Python functions:
///   Call("match_substring", {Col("path")}, R"({"pattern": "cat", "ignore_case": true})")
///   Call("cast", {Col("id")}, R"({"type": "string"})")
/// Invalid when it runs: a function or option that is not known, or a wrong number of arguments.
PENSTOCK_API Expression Call(const std::string& function, const std::vector<Expression>& arguments,
                             const std::string& options_json = "{}");

/// Comparisons yield bool. NaN equals nothing, itself included.
PENSTOCK_API Expression operator==(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator!=(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator<(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator<=(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator>(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator>=(const Expression& left, const Expression& right);

/// Arithmetic, as Arrow does it: integers wrap around, their quotient is cut towards 0, and
/// dividing one by 0 is Invalid. `+` also joins texts.
PENSTOCK_API Expression operator+(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator-(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator*(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator/(const Expression& left, const Expression& right);

/// And, or, not with Kleene's rules for null. (Not && and ||: those would lose their short
/// circuit.)
PENSTOCK_API Expression operator&(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator|(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator!(const Expression& operand);

}  // namespace penstock
