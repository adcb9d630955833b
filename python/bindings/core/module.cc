#include "core/module.h"

#include "core/errors.h"
#include "penstock/plan/compute_functions.h"

NB_MODULE(_core, module) {
  // What a script still holds when it ends is no leak that its user could mend.
  nanobind::set_leak_warnings(false);
  module.doc() = "Penstock's engine: plans, and the jobs that run them.";
  penstock::python::ThrowIfError(penstock::PrepareFunctions());
  penstock::python::BindBlock(module);
  penstock::python::BindAggregate(module);
  penstock::python::BindFileNames(module);
  penstock::python::BindFileSystem(module);
  penstock::python::BindPlan(module);
  penstock::python::BindSnapshot(module);
  penstock::python::BindPipeline(module);
  penstock::python::BindHub(module);
  penstock::python::BindLedger(module);
}
