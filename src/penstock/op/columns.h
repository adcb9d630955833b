#pragma once

#include <arrow/type.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/op/transform.h"

namespace penstock {

/// Returns the index of a column. KeyError when there is none of that name, Invalid when there is
/// more than one, naming the operator that reads it, the column and the columns there are.
Result<int> FindColumn(const arrow::Schema& schema, const std::string& name,
                       std::string_view operator_name);

/// Which columns of the input make the output, and what they are called there.
struct ColumnChoice {
  std::vector<int> indices;
  std::vector<std::string> names;
};
using ChooseColumns = std::function<Result<ColumnChoice>(const arrow::Schema&)>;

/// Makes a transform that only chooses, orders and names columns: no row is copied, and lineage
/// stays. A block that it leaves as it is stays packed. `choose` may be called by many threads.
/// Invalid, naming the operator, when two columns of the output share a name.
std::unique_ptr<Transform> MakeColumnTransform(std::string operator_name, ChooseColumns choose);

}  // namespace penstock
