#include "penstock/exec/row_failure.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace penstock {
namespace {

using Json = nlohmann::json;

constexpr size_t kSizeBytes = 4;

/// Returns the header of what was packed; null for other bytes.
Json HeaderOf(std::string_view packed) {
  if (packed.size() < kSizeBytes) return nullptr;
  size_t size = 0;
  for (size_t byte = kSizeBytes; byte-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(packed[byte]);
  }
  if (size > packed.size() - kSizeBytes) return nullptr;
  return Json::parse(packed.substr(kSizeBytes, size), nullptr, /*allow_exceptions=*/false);
}

std::string TextOf(const Json& header, const char* field) {
  const auto found = header.find(field);
  return found != header.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string CauseOf(ExitCause cause) {
  switch (cause) {
    case ExitCause::kTimeout:
      return "timeout";
    case ExitCause::kOutOfMemory:
      return "out_of_memory";
    case ExitCause::kStopped:
    case ExitCause::kExitCode:
    case ExitCause::kSignal:
    case ExitCause::kKilled:
    case ExitCause::kDeviceError:
    case ExitCause::kProtocol:
    case ExitCause::kNotStarted:
      return "crash";
  }
  return "crash";
}

}  // namespace

RowFailure FailureOf(ErrorKind kind, const std::string& packed) {
  RowFailure failure{.cause = kind == ErrorKind::kBadReturn ? "bad_return" : "exception"};
  const Json header = HeaderOf(packed);
  if (!header.is_object()) return failure;
  failure.function = TextOf(header, "function");
  failure.exception = TextOf(header, "type");
  failure.message = TextOf(header, "message");
  failure.traceback = TextOf(header, "traceback");
  const auto classes = header.find("classes");
  if (classes != header.end() && classes->is_array()) {
    for (const Json& name : *classes) {
      if (name.is_string()) failure.classes.push_back(name.get<std::string>());
    }
  }
  const auto row = header.find("input_row");
  if (row != header.end() && row->is_number_integer()) failure.row = row->get<int64_t>();
  return failure;
}

RowFailure FailureOf(const WorkerExit& exit, std::string message) {
  return {.cause = CauseOf(exit.cause),
          .message = std::move(message),
          .traceback = exit.last_words,
          .ended_worker = true};
}

RowFailure FailureOf(const FatalRow& row) {
  return {.cause = row.cause,
          .message = row.message,
          .traceback = row.traceback,
          .ended_worker = true,
          .attempts = row.attempts};
}

}  // namespace penstock
