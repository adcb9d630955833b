#include "penstock/exec/pipeline.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/errors.h"
#include "core/keep_alive.h"
#include "core/module.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

/// Owns a running job for Python. Everything that may wait does so without the GIL: engine threads
/// may need it to let go of lent memory only through ReleaseDropped, never directly.
class RunningPipeline {
 public:
  RunningPipeline(const LogicalPlan& plan, const PipelineOptions& options) {
    Result<std::unique_ptr<Pipeline>> started = [&] {
      nb::gil_scoped_release release;
      return Pipeline::Start(plan, options);
    }();
    pipeline_ = ValueOrThrow(std::move(started));
  }

  ~RunningPipeline() {
    nb::gil_scoped_release release;
    pipeline_.reset();
  }

  nb::object Next(double timeout_s) {
    ReleaseDropped();
    Result<Pipeline::NextResult> next = [&] {
      nb::gil_scoped_release release;
      return pipeline_->Next(std::chrono::nanoseconds(static_cast<int64_t>(timeout_s * 1e9)));
    }();
    Pipeline::NextResult result = ValueOrThrow(std::move(next));
    switch (result.state) {
      case Pipeline::NextState::kBlock:
        return nb::cast(*std::move(result.block));
      case Pipeline::NextState::kTimeout:
        return nb::none();
      case Pipeline::NextState::kEnd:
        return nb::bool_(false);
    }
    return nb::none();
  }

  void Drain() { pipeline_->Drain(); }
  void Cancel() { pipeline_->Cancel(); }
  Snapshot TakeSnapshot() const { return pipeline_->TakeSnapshot(); }

 private:
  std::unique_ptr<Pipeline> pipeline_;
};

void Construct(RunningPipeline* place, const LogicalPlan& plan, int64_t budget_bytes,
               int processors, double gpus, std::vector<std::pair<std::string, double>> resources,
               int64_t no_progress_timeout_ms, bool preserve_order, int64_t block_bytes,
               int64_t rows_per_chunk, int64_t commit_interval_ms,
               std::vector<std::string> worker_arguments,
               std::vector<std::string> template_arguments,
               std::vector<std::string> worker_environment,
               std::shared_ptr<WorkerLines> worker_lines, std::optional<std::string> retry_folder,
               int retry_stage) {
  PipelineOptions options;
  options.budget_bytes = budget_bytes;
  options.processors = processors;
  options.gpus = gpus;
  options.resources = std::move(resources);
  options.no_progress_timeout_ms = no_progress_timeout_ms;
  options.preserve_order = preserve_order;
  if (block_bytes > 0) options.read.block_bytes = block_bytes;
  options.rows_per_chunk = rows_per_chunk;
  options.commit_interval_ms = commit_interval_ms;
  options.worker_command.arguments = std::move(worker_arguments);
  options.worker_command.template_arguments = std::move(template_arguments);
  options.worker_command.environment = std::move(worker_environment);
  options.worker_lines = std::move(worker_lines);
  if (retry_folder) options.retry = RowsToRetry{*std::move(retry_folder), retry_stage};
  new (place) RunningPipeline(plan, options);
}

/// As bytes: what a worker prints need not be text.
std::vector<std::pair<bool, nb::bytes>> TakeLines(WorkerLines& lines) {
  std::vector<std::pair<bool, nb::bytes>> taken;
  for (const WorkerLine& line : lines.TakeAll()) {
    taken.emplace_back(line.stream == StandardStream::kErrors,
                       nb::bytes(line.text.data(), line.text.size()));
  }
  return taken;
}

}  // namespace

void BindPipeline(nb::module_& module) {
  nb::class_<WorkerLines>(module, "WorkerLines", "Lines that a job's workers have printed.")
      .def(nb::init<>())
      .def("take", &TakeLines, nb::sig("def take(self) -> list[tuple[bool, bytes]]"),
           "Take all lines: whether each was an error stream's, and its text without an end.");
  nb::class_<RunningPipeline>(module, "Pipeline", "A job: runs from when it is made.")
      .def("__init__", &Construct, nb::arg("plan"), nb::kw_only(), nb::arg("budget_bytes") = 0,
           nb::arg("processors") = 0, nb::arg("gpus") = 0.0,
           nb::arg("resources") = std::vector<std::pair<std::string, double>>(),
           nb::arg("no_progress_timeout_ms") = 0, nb::arg("preserve_order") = true,
           nb::arg("block_bytes") = 0, nb::arg("rows_per_chunk") = 0,
           nb::arg("commit_interval_ms") = 500, nb::arg("worker_arguments"),
           nb::arg("template_arguments"), nb::arg("worker_environment"),
           nb::arg("worker_lines").none() = nb::none(), nb::arg("retry_folder") = nb::none(),
           nb::arg("retry_stage") = 0)
      .def("next", &RunningPipeline::Next, nb::arg("timeout_s"),
           nb::sig("def next(self, timeout_s: float) -> Block | bool | None"),
           "The next block; None after `timeout_s` seconds without one; False at the end.")
      .def("cancel", &RunningPipeline::Cancel, "Stops the job; returns at once.")
      .def("drain", &RunningPipeline::Drain,
           "Ends the job once what has begun is committed; returns at once.")
      .def("snapshot", &RunningPipeline::TakeSnapshot);
}

}  // namespace penstock::python
