#include "penstock/plan/expression_nulls.h"

#include <arrow/compute/cast.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock {
namespace {

namespace compute = arrow::compute;
using compute::Expression;
using Call = Expression::Call;
using TypePointer = std::shared_ptr<arrow::DataType>;

bool IsNull(const Expression& argument) { return argument.type()->id() == arrow::Type::NA; }

/// The functions that yield one of their arguments, with the first of those that they may yield.
const std::map<std::string, size_t>& Choosing() {
  static const std::map<std::string, size_t> names = {
      {"case_when", 1}, {"choose", 1}, {"coalesce", 0}, {"if_else", 1}};
  return names;
}

Result<Expression> BindWith(Call call, const TypePointer& type, size_t first,
                            const arrow::Schema& schema) {
  for (size_t i = first; i < call.arguments.size(); ++i) {
    Expression& argument = call.arguments[i];
    if (!IsNull(argument)) continue;
    argument = compute::call("cast", {argument}, compute::CastOptions::Safe(type));
  }
  return compute::call(call.function_name, std::move(call.arguments), std::move(call.options))
      .Bind(schema);
}

Result<Expression> BindChoice(const Call& call, size_t first, const arrow::Schema& schema) {
  Call filled = call;
  if (first > 0 && IsNull(call.arguments[0])) {
    filled.arguments[0] =
        compute::call("cast", {call.arguments[0]}, compute::CastOptions::Safe(arrow::boolean()));
  }
  const auto valued = std::find_if_not(call.arguments.begin() + static_cast<ptrdiff_t>(first),
                                       call.arguments.end(), IsNull);
  if (valued == call.arguments.end()) return call.arguments[first];
  return BindWith(std::move(filled), valued->type()->GetSharedPtr(), first, schema);
}

}  // namespace

Result<Expression> BindOverNulls(const Call& call, const arrow::Schema& schema) {
  const auto choice = Choosing().find(call.function_name);
  if (choice != Choosing().end()) return BindChoice(call, choice->second, schema);
  static const std::vector<TypePointer> types = {arrow::utf8(),
                                                 arrow::int64(),
                                                 arrow::float64(),
                                                 arrow::boolean(),
                                                 arrow::list(arrow::null()),
                                                 arrow::timestamp(arrow::TimeUnit::MICRO)};
  Result<Expression> bound = BindWith(call, types.front(), 0, schema);
  for (size_t i = 1; !bound.ok() && i < types.size(); ++i) {
    bound = BindWith(call, types[i], 0, schema);
  }
  return bound;
}

}  // namespace penstock
