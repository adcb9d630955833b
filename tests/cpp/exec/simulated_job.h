#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock {

struct SimulatedSplit {
  int64_t chunk = 0;
  bool says_rows = false;
  std::vector<int64_t> block_rows;
};

/// What the tasks of a simulated stage do with rows, bytes and time.
struct SimulatedStage {
  StageLimits limits;
  std::vector<SimulatedSplit> splits;  // kRead
  int64_t first_row = 0;               // kRead: the rows of all stages are numbered on.
  int keep_percent = 100;              // Rows that its filter keeps.
  int copies = 1;                      // Rows out for each row kept.
  int raise_percent = 0;               // Rows for which it raises, where it isolates failures,
  int kill_percent = 0;                // and for which its worker dies.
  int flaw_percent = 0;                // Of runs of batches, that raise what may be tried again.
  int blocks_per_task_max = 1;         // More than one: a generator.
  bool ends_with_empty_step = false;
  int64_t bytes_per_row = 8;
  int64_t bytes_per_block = 0;
  int64_t step_ns_max = 1000;

  bool preserves_rows() const {
    return keep_percent == 100 && copies == 1 && raise_percent + kill_percent == 0;
  }
};

enum class Fault : uint8_t { kNone, kTaskFails, kJobFails, kCancel, kDrain };

/// A job made up from a seed: the same seed gives the same job.
struct SimulatedJob {
  uint64_t seed = 0;
  std::vector<SimulatedStage> stages;
  DispatcherLimits limits;
  bool zips_unequal_rows = false;
  Fault fault = Fault::kNone;
  int64_t fault_after_events = 0;
  int64_t consumer_ns_max = 1000;
  int64_t worker_start_ns_max = 1000;
  int64_t listing_ns_max = 1000;
  bool kills_busy_workers = false;  // On StopWorker; otherwise they finish first.
  bool budget_is_ample = false;     // No batch may be refused.
  int death_percent = 0;            // Of events, after which a worker dies or is found too large.
  bool ticks = false;               // Time is told; workers may be killed for being slow.

  bool Writes() const { return stages.back().limits.role == StageRole::kWrite; }
  std::string ToString() const;
};

SimulatedJob MakeSimulatedJob(uint64_t seed);

/// Returns whether the stage's filter keeps a row.
bool KeepsRow(const SimulatedJob& job, StageIndex stage, int64_t row);

/// Returns whether the stage's functions raise for a row, and whether it kills their worker.
bool RowRaises(const SimulatedJob& job, StageIndex stage, int64_t row);
bool RowKills(const SimulatedJob& job, StageIndex stage, int64_t row);

/// Returns the rows that a stage lets out, in order; those of a zip are its first input's.
std::vector<int64_t> RowsOf(const SimulatedJob& job, StageIndex stage, bool with_limits);

/// Returns the rows that the job yields in order, when it keeps order.
std::vector<int64_t> ExpectedRows(const SimulatedJob& job, bool with_limits);

}  // namespace penstock
