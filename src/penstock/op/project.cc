#include "penstock/op/columns.h"
#include "penstock/op/operators.h"

namespace penstock {

std::unique_ptr<Transform> MakeProject(ProjectOp op) {
  return MakeColumnTransform(
      "Project", [op = std::move(op)](const arrow::Schema& schema) -> Result<ColumnChoice> {
        ColumnChoice choice;
        for (const auto& [from, to] : op.columns) {
          PENSTOCK_TRY(const int index, FindColumn(schema, from, "Project"));
          choice.indices.push_back(index);
          choice.names.push_back(to);
        }
        return choice;
      });
}

}  // namespace penstock
