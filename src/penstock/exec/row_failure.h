#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/ledger/fatal_rows.h"
#include "penstock/worker/worker_exit.h"

namespace penstock {

/// Why the functions of a stage fail for a row, as the dead letters tell it.
struct RowFailure {
  std::string cause;      // "exception", "bad_return", "crash", "timeout" or "out_of_memory".
  std::string function;   // Of the stage's, the one that raised; "" where nobody knows.
  std::string exception;  // The exception's class; "" for a worker that died.
  std::string message;
  std::string traceback;             // Of the exception, or what a dying worker said.
  std::vector<std::string> classes;  // Of the exception, by their full names, the nearest first.
  int64_t row = -1;                  // Which row of the batch it was; -1: not known.
  bool ended_worker = false;
  int attempts = 0;  // Of the earlier run that found it; 0: this one did.
};

/// Reads what a worker packed of an exception (python/penstock/worker/failure.py). Bytes of another
/// kind leave all but the cause empty.
RowFailure FailureOf(ErrorKind kind, const std::string& packed);

/// `message`: what is told of the death otherwise.
RowFailure FailureOf(const WorkerExit& exit, std::string message);

/// As an earlier run of the job has found.
RowFailure FailureOf(const FatalRow& row);

}  // namespace penstock
