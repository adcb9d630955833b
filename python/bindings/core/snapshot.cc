#include "penstock/base/snapshot.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/module.h"
#include "penstock/memory/machine.h"

namespace penstock::python {

namespace nb = nanobind;

void BindSnapshot(nb::module_& module) {
  nb::class_<StageSnapshot>(module, "StageSnapshot", "What one stage has done and is doing.")
      .def_ro("name", &StageSnapshot::name)
      .def_ro("rows_in", &StageSnapshot::rows_in)
      .def_ro("rows_out", &StageSnapshot::rows_out)
      .def_ro("rows_failed", &StageSnapshot::rows_failed)
      .def_ro("rows_filtered", &StageSnapshot::rows_filtered)
      .def_ro("bytes_out", &StageSnapshot::bytes_out)
      .def_ro("blocks_out", &StageSnapshot::blocks_out)
      .def_ro("tasks_total", &StageSnapshot::tasks_total)
      .def_ro("tasks_done", &StageSnapshot::tasks_done)
      .def_ro("tasks_running", &StageSnapshot::tasks_running)
      .def_ro("queued_blocks", &StageSnapshot::queued_blocks)
      .def_ro("queued_bytes", &StageSnapshot::queued_bytes)
      .def_ro("workers", &StageSnapshot::workers)
      .def_ro("slots", &StageSnapshot::slots)
      .def_ro("starting_ns", &StageSnapshot::starting_ns)
      .def_ro("busy_ns", &StageSnapshot::busy_ns)
      .def_ro("starved_ns", &StageSnapshot::starved_ns)
      .def_ro("blocked_ns", &StageSnapshot::blocked_ns)
      .def_ro("restarts", &StageSnapshot::restarts)
      .def_ro("retries", &StageSnapshot::retries)
      .def_ro("recycled", &StageSnapshot::recycled)
      .def_ro("batch_rows_found", &StageSnapshot::batch_rows_found);
  nb::class_<Snapshot>(module, "Snapshot", "One consistent look at a job.")
      .def_ro("stages", &Snapshot::stages)
      .def_ro("elapsed_ns", &Snapshot::elapsed_ns)
      .def_ro("budget_bytes", &Snapshot::budget_bytes)
      .def_ro("used_bytes", &Snapshot::used_bytes)
      .def_ro("used_bytes_max", &Snapshot::used_bytes_max)
      .def_ro("rows_delivered", &Snapshot::rows_delivered)
      .def_ro("finished", &Snapshot::finished)
      .def_ro("worker_starts", &Snapshot::worker_starts)
      .def_prop_ro("bottleneck", &Snapshot::Bottleneck)
      .def_prop_ro("bottleneck_sentence", &Snapshot::BottleneckSentence);
  module.def("machine_memory_bytes", &MachineMemoryBytes,
             "Bytes of memory that this process may use, control groups respected.");
  module.def("machine_processors", &MachineProcessors,
             "Processors that this process may run on, control groups respected.");
}

}  // namespace penstock::python
