#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock {

/// What one stage has done and is doing. Times are slot-nanoseconds: a stage with two slots
/// gathers two seconds of starting, busy, starved or blocked time in one second of the clock.
struct StageSnapshot {
  std::string name;
  int64_t rows_in = 0;
  int64_t rows_out = 0;
  int64_t rows_failed = 0;    // Left out, as the functions fail for them.
  int64_t rows_filtered = 0;  // By filters; 0 too where functions make several rows or none of one.
  int64_t bytes_out = 0;
  int64_t blocks_out = 0;
  int64_t tasks_total = -1;  // -1 while it is not known yet.
  int64_t tasks_done = 0;
  int64_t tasks_running = 0;
  int64_t queued_blocks = 0;  // Blocks waiting at its input.
  int64_t queued_bytes = 0;
  int workers = 0;               // Workers at once, at most; 0 for native stages.
  int slots = 0;                 // What can run at once: workers, or native threads.
  int64_t starting_ns = 0;       // Workers not up yet: interpreters, imports, models.
  int64_t busy_ns = 0;           // Slots at work.
  int64_t starved_ns = 0;        // Slots idle for want of input.
  int64_t blocked_ns = 0;        // Slots idle because the budget or the window had no room.
  int restarts = 0;              // Workers that died and were replaced.
  int retries = 0;               // Batches run again because they had failed.
  int recycled = 0;              // Workers replaced because of their age or size.
  int64_t batch_rows_found = 0;  // Where batches grow: the rows that they have come to.
};

/// One consistent look at a running or finished job: all that progress, stats() and the
/// dashboards are drawn from.
struct Snapshot {
  std::vector<StageSnapshot> stages;
  int64_t elapsed_ns = 0;
  int64_t budget_bytes = 0;
  int64_t used_bytes = 0;
  int64_t used_bytes_max = 0;
  int64_t rows_delivered = 0;  // Rows that the consumer took or the sink wrote.
  bool finished = false;
  std::string worker_starts;  // By stage: "1 spawned, 3 forked", or why some were not forked.

  /// Returns the index of the stage that holds the job back: the largest share of busy slots.
  /// -1 when nothing has run.
  int Bottleneck() const;

  /// Returns one plain sentence about Bottleneck(), with the figures that show it.
  std::string BottleneckSentence() const;
};

}  // namespace penstock
