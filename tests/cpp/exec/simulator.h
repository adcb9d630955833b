#pragma once

#include <cstdint>
#include <string>

#include "exec/simulated_job.h"

namespace penstock {

struct SimulationResult {
  std::string violation;  // Empty: every rule held.
  int64_t events = 0;
  bool finished_well = false;
  bool budget_refused = false;
};

/// Runs the job on virtual time: carries out the dispatcher's actions with random delays and
/// checks after each event what dispatcher.h promises.
///
/// Held always: the concurrency limits; one listing at a time; a worker takes batches only while
/// up; each live block is dropped or emitted once, never while a step needs it; rows of a block go
/// to one task each; the rules for batches, regrouping and parts; the result is the rows expected,
/// in order where that is kept; the job never stands still; nothing comes after Finish.
/// Budget: a step starts within the budget or while nothing else runs; and what is used exceeds
/// the budget by no more than one largest block for each stage, and by what steps yielded beyond
/// their reservations.
SimulationResult Simulate(const SimulatedJob& job);

}  // namespace penstock
