#include "core/errors.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

#include "penstock/base/error.h"

namespace penstock::python {

namespace nb = nanobind;

namespace {

const char* KindName(const ErrorDetail* detail) {
  if (detail == nullptr) return "";
  switch (detail->kind()) {
    case ErrorKind::kMissingPath:
      return "MissingPath";
    case ErrorKind::kCorruptData:
      return "CorruptData";
    case ErrorKind::kSchemaMismatch:
      return "SchemaMismatch";
    case ErrorKind::kUserFunction:
      return "UserFunction";
    case ErrorKind::kBadReturn:
      return "BadReturn";
    case ErrorKind::kWorkerDied:
      return "WorkerDied";
    case ErrorKind::kBudgetTooSmall:
      return "BudgetTooSmall";
    case ErrorKind::kNoProgress:
      return "NoProgress";
    case ErrorKind::kDrained:
      return "Drained";
    case ErrorKind::kOutputTaken:
      return "OutputTaken";
    case ErrorKind::kJobChanged:
      return "JobChanged";
    case ErrorKind::kUnplaceable:
      return "Unplaceable";
    case ErrorKind::kCancelled:
      return "Cancelled";
    case ErrorKind::kAccessDenied:
      return "AccessDenied";
    case ErrorKind::kUnreachable:
      return "Unreachable";
    case ErrorKind::kRemoteFailure:
      return "RemoteFailure";
  }
  return "";
}

const char* CodeName(const Status& status) {
  switch (status.code()) {
    case arrow::StatusCode::OutOfMemory:
      return "OutOfMemory";
    case arrow::StatusCode::KeyError:
      return "KeyError";
    case arrow::StatusCode::TypeError:
      return "TypeError";
    case arrow::StatusCode::Invalid:
      return "Invalid";
    case arrow::StatusCode::IOError:
      return "IOError";
    case arrow::StatusCode::CapacityError:
      return "CapacityError";
    case arrow::StatusCode::IndexError:
      return "IndexError";
    case arrow::StatusCode::Cancelled:
      return "Cancelled";
    case arrow::StatusCode::NotImplemented:
      return "NotImplemented";
    case arrow::StatusCode::AlreadyExists:
      return "AlreadyExists";
    default:
      return "UnknownError";
  }
}

/// Messages quote what files and their names hold, which need not be UTF-8.
nb::object TextOf(const std::string& message) {
  return nb::steal(PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()),
                                        "backslashreplace"));
}

}  // namespace

void Throw(const Status& status) {
  const ErrorDetail* const detail = DetailOf(status);
  const std::string payload = detail == nullptr ? "" : detail->payload();
  const nb::object exception =
      nb::module_::import_("penstock.errors")
          .attr("to_exception")(CodeName(status), KindName(detail), TextOf(status.message()),
                                nb::bytes(payload.data(), payload.size()));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  throw nb::python_error();
}

}  // namespace penstock::python
