#include "core/file_names.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/module.h"
#include "penstock/base/error.h"

namespace penstock::python {

namespace nb = nanobind;

Result<std::vector<std::string>> AskedFileNames::NamesOf(const std::string& write_name,
                                                         const std::vector<int64_t>& parts) {
  MutexLock lock(mutex_);
  question_ = Question{write_name, parts};
  while (!answer_ && !closed_) changed_.Wait(mutex_);
  if (!answer_) return MakeError(ErrorKind::kCancelled, "Nobody names the files any more");
  if (answer_->size() == parts.size()) return *std::exchange(answer_, std::nullopt);
  return Status::Invalid("There must be one name a file; got: ", answer_->size(), " for ",
                         parts.size());
}

std::optional<AskedFileNames::Question> AskedFileNames::Take() {
  MutexLock lock(mutex_);
  return std::exchange(question_, std::nullopt);
}

void AskedFileNames::Answer(std::vector<std::string> names) {
  MutexLock lock(mutex_);
  answer_ = std::move(names);
  changed_.NotifyAll();
}

void AskedFileNames::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

void BindFileNames(nb::module_& module) {
  nb::class_<FileNamesHandle>(module, "FileNames",
                              "Asks whoever drives a job how its files are to be named.")
      .def(nb::init<>())
      .def(
          "question", [](FileNamesHandle& handle) { return handle.names->Take(); },
          "The write's name and the parts that want names, once; None where nobody asks.")
      .def(
          "answer",
          [](FileNamesHandle& handle, std::vector<std::string> names) {
            handle.names->Answer(std::move(names));
          },
          nb::arg("names"))
      .def("close", [](FileNamesHandle& handle) { handle.names->Close(); });
}

}  // namespace penstock::python
