#pragma once

#include <nanobind/nanobind.h>

namespace penstock::python {

/// Adds Client and what it deals in to the module.
void BindClient(nanobind::module_& module);

}  // namespace penstock::python
