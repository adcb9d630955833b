#include "penstock/runtime/hub.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/errors.h"
#include "core/module.h"
#include "penstock/worker/reception.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

/// Owns a hub for Python. Everything that may wait does so without the GIL.
class OpenHub {
 public:
  explicit OpenHub(runtime::HubOptions options) {
    Result<std::unique_ptr<runtime::Hub>> started = [&] {
      nb::gil_scoped_release release;
      return runtime::Hub::Start(std::move(options));
    }();
    hub_ = ValueOrThrow(std::move(started));
  }
  ~OpenHub() { Close(); }

  int Connect() {
    if (hub_ == nullptr) throw nb::value_error("the hub is closed");
    return ValueOrThrow(hub_->Connect()).Release();
  }

  void Close() {
    nb::gil_scoped_release release;
    hub_.reset();
  }

 private:
  std::unique_ptr<runtime::Hub> hub_;
};

void Construct(OpenHub* place, double processors, double gpus, int64_t memory_bytes,
               int64_t store_bytes, std::vector<std::pair<std::string, double>> resources,
               std::vector<std::string> worker_arguments,
               std::vector<std::string> template_arguments,
               std::vector<std::string> worker_environment,
               std::shared_ptr<WorkerLines> worker_lines, std::string spill_folder,
               std::string facts) {
  runtime::HubOptions options;
  options.processors = processors;
  options.gpus = gpus;
  options.memory_bytes = memory_bytes;
  options.store_bytes = store_bytes;
  options.resources = std::move(resources);
  options.worker_command.arguments = std::move(worker_arguments);
  options.worker_command.template_arguments = std::move(template_arguments);
  options.worker_command.environment = std::move(worker_environment);
  options.worker_lines = std::move(worker_lines);
  options.spill_folder = std::move(spill_folder);
  options.facts = std::move(facts);
  new (place) OpenHub(std::move(options));
}

}  // namespace

void BindHub(nb::module_& module) {
  nb::class_<OpenHub>(module, "Hub", "Runs tasks and actors, and keeps their objects.")
      .def("__init__", &Construct, nb::kw_only(), nb::arg("processors") = 0.0,
           nb::arg("gpus") = -1.0, nb::arg("memory_bytes") = 0, nb::arg("store_bytes") = 0,
           nb::arg("resources") = std::vector<std::pair<std::string, double>>(),
           nb::arg("worker_arguments"), nb::arg("template_arguments"),
           nb::arg("worker_environment"), nb::arg("worker_lines").none() = nb::none(),
           nb::arg("spill_folder") = "/tmp", nb::arg("facts") = "{}")
      .def("connect", &OpenHub::Connect, "The descriptor of a socket to it, for a client.")
      .def("close", &OpenHub::Close, "Kills its workers and ends; repeatable.");
  module.def("inherit_reception", &Reception::Inherit, nb::arg("descriptor"),
             "Has this process's workers reach the hub that this descriptor leads to.");
  module.def("reception_waits", &Reception::Waits,
             "Whether a worker has asked for a hub that there is not yet.");
}

}  // namespace penstock::python
