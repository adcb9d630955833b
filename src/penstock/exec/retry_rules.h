#pragma once

#include <string>
#include <vector>

#include "penstock/exec/dispatcher.h"
#include "penstock/plan/worker_options.h"
#include "penstock/worker/worker_exit.h"

namespace penstock {

/// Returns a stage's budgets, by the causes that CauseOf tells.
std::vector<RetryBudget> BudgetsOf(const WorkerOptions& options);

/// Returns whether a batch of such a stage may be run twice.
bool MayRetry(const WorkerOptions& options);

Cause CauseOf(ExitCause exit);

/// Returns the budget that an exception counts against, by the full names of its class and of those
/// that it was made from, the nearest first: that of the nearest which has one.
Cause CauseOf(const std::vector<std::string>& classes, const RetryOptions& options);

/// Returns whether somebody else ended the process, as far as the signal tells.
bool WasKilled(const WorkerExit& exit);

}  // namespace penstock
