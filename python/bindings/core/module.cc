#include "core/module.h"

NB_MODULE(_core, module) {
  module.doc() = "Penstock's engine: plans, and the jobs that run them.";
  penstock::python::BindBlock(module);
  penstock::python::BindPlan(module);
  penstock::python::BindSnapshot(module);
  penstock::python::BindPipeline(module);
}
