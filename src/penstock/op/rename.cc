#include "penstock/op/columns.h"
#include "penstock/op/operators.h"

namespace penstock {

std::unique_ptr<Transform> MakeRename(RenameOp op) {
  return MakeColumnTransform(
      "Rename", [op = std::move(op)](const arrow::Schema& schema) -> Result<ColumnChoice> {
        ColumnChoice choice;
        for (int i = 0; i < schema.num_fields(); ++i) {
          choice.indices.push_back(i);
          choice.names.push_back(schema.field(i)->name());
        }
        for (const auto& [from, to] : op.columns) {
          PENSTOCK_TRY(const int index, FindColumn(schema, from, "Rename"));
          choice.names[static_cast<size_t>(index)] = to;
        }
        return choice;
      });
}

}  // namespace penstock
