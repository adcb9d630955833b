#include "penstock/plan/compute_functions.h"

#include <arrow/compute/initialize.h>
#include <arrow/compute/registry.h>

#include "penstock/plan/expression_division.h"
#include "penstock/plan/expression_lists.h"
#include "penstock/plan/expression_positions.h"

namespace penstock {

Status PrepareFunctions() {
  static const Status status = [] {
    PENSTOCK_RETURN_NOT_OK(arrow::compute::Initialize());
    arrow::compute::FunctionRegistry& registry = *arrow::compute::GetFunctionRegistry();
    PENSTOCK_RETURN_NOT_OK(RegisterListFunctions(registry));
    PENSTOCK_RETURN_NOT_OK(RegisterDivisionFunctions(registry));
    return RegisterPositionFunctions(registry);
  }();
  return status;
}

}  // namespace penstock
