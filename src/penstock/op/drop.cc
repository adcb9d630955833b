#include <set>

#include "penstock/op/columns.h"
#include "penstock/op/operators.h"

namespace penstock {

std::unique_ptr<Transform> MakeDrop(DropOp op) {
  return MakeColumnTransform(
      "Drop", [op = std::move(op)](const arrow::Schema& schema) -> Result<ColumnChoice> {
        std::set<int> dropped;
        for (const std::string& name : op.columns) {
          PENSTOCK_TRY(const int index, FindColumn(schema, name, "Drop"));
          dropped.insert(index);
        }
        ColumnChoice choice;
        for (int i = 0; i < schema.num_fields(); ++i) {
          if (dropped.contains(i)) continue;
          choice.indices.push_back(i);
          choice.names.push_back(schema.field(i)->name());
        }
        return choice;
      });
}

}  // namespace penstock
