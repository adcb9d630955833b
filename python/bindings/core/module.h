#pragma once

#include <nanobind/nanobind.h>

#include "penstock/block/block.h"

namespace penstock::python {

/// `_core.Block`: what a pipeline yields, and what materialize() keeps.
void BindBlock(nanobind::module_& module);

/// `_core.AggregateSpec` and `_core.Aggregation`.
void BindAggregate(nanobind::module_& module);

/// `_core.FileSystem`.
void BindFileSystem(nanobind::module_& module);

/// `_core.FileNames`.
void BindFileNames(nanobind::module_& module);

/// `_core.Function` and `_core.LogicalPlan`.
void BindPlan(nanobind::module_& module);

/// `_core.Pipeline` and `_core.WorkerLines`.
void BindPipeline(nanobind::module_& module);

/// `_core.Hub` and `_core.inherit_reception`.
void BindHub(nanobind::module_& module);

/// `_core.Verification`, and what is asked of ledgers.
void BindLedger(nanobind::module_& module);

/// `_core.Snapshot`, `_core.StageSnapshot` and what is asked of the machine.
void BindSnapshot(nanobind::module_& module);

}  // namespace penstock::python
