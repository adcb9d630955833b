#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "core/errors.h"
#include "core/module.h"
#include "penstock/base/ledger_folder.h"
#include "penstock/ledger/verify.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

Verification Verify(const std::string& folder) {
  Result<Verification> found = [&] {
    nb::gil_scoped_release release;
    return VerifyOutput(folder);
  }();
  return ValueOrThrow(std::move(found));
}

std::vector<std::string> Entries(const std::string& folder) {
  const auto store = MakeLocalLogStore(folder + "/" + kLedgerFolder, "");
  std::vector<std::string> texts;
  for (const Commit& entry : ValueOrThrow(ReadEntries(*store))) {
    std::string text = ValueOrThrow(CommitText(entry));
    texts.push_back(text.substr(0, text.find('\n')));
  }
  return texts;
}

}  // namespace

void BindLedger(nb::module_& module) {
  nb::class_<Verification>(module, "Verification", "What was found of an output and its ledger.")
      .def_ro("is_finished", &Verification::is_finished)
      .def_ro("chunks", &Verification::chunks)
      .def_ro("files", &Verification::files)
      .def_ro("bytes", &Verification::bytes)
      .def_prop_ro("rows_in", [](const Verification& found) { return found.rows.in; })
      .def_prop_ro("rows_dead", [](const Verification& found) { return found.rows.dead; })
      .def_prop_ro("rows_filtered", [](const Verification& found) { return found.rows.filtered; })
      .def_prop_ro("rows_out", [](const Verification& found) { return found.rows.out; })
      .def_ro("problems", &Verification::problems);
  module.attr("DEAD_LETTER_FOLDER") = kDeadLetterFolder;
  module.def("verify_output", &Verify, nb::arg("folder"),
             "Read an output again, and compare it with its ledger.");
  module.def("ledger_entries", &Entries, nb::arg("folder"), "The entries, as JSON.");
}

}  // namespace penstock::python
