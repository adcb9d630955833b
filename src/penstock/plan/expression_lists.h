#pragma once

#include <arrow/compute/registry.h>

#include "penstock/base/status.h"

namespace penstock {

/// Adds the row-wise functions of lists that Arrow does not have. A null list gives null.
///   list_value_sum(list)      int64, uint64 or double; nulls are left out, none gives 0
///   list_value_sort(list, "ascending" | "descending", "at_start" | "at_end")  where nulls go
///   list_value_flatten(list of lists)    one list a row; null lists among them are left out
///   list_from_fixed(list)     a fixed-size list as one of any size; other lists as they are
///   map_keys(map), map_values(map)       lists; a list of structs counts as a map of the structs'
///                                        first two fields
/// All take list, large_list, fixed_size_list and map. Fails when they are there already.
Status RegisterListFunctions(arrow::compute::FunctionRegistry& registry);

}  // namespace penstock
