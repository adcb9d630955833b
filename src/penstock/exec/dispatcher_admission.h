#pragma once

#include <cstdint>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock::dispatch {

/// Keeps the byte budget: who uses how much, and whether a step may start.
///
/// Each stage that yields blocks owns an equal share of half the budget; what it uses beyond its
/// share comes from the common other half. A stage's use is its live blocks, wherever they are,
/// and the reservations of its running steps. `ahead` is the part of that which belongs to tasks
/// after the first unfinished one.
class Admission {
 public:
  /// `estimates`: a block's bytes for each stage that yields blocks, in order.
  Admission(int64_t budget_bytes, const std::vector<int64_t>& estimates);

  /// Returns what a step of the stage reserves: its largest block so far.
  int64_t Reservation(StageIndex stage) const { return uses_[stage].largest; }

  /// Returns whether a step that reserves Reservation(stage) may start now. `ahead`: its task is
  /// not the first unfinished one of an ordered stage. Not `wanted`: what comes of it piles up
  /// before a stage that waits for another input, so that it must do with its share.
  bool Admits(StageIndex stage, bool ahead, bool wanted) const;

  /// Adds to (or takes from) what the stage uses: a block or a reservation.
  void Add(StageIndex stage, int64_t bytes);
  void AddAhead(StageIndex stage, int64_t bytes) { uses_[stage].ahead += bytes; }
  void ClearAhead(StageIndex stage) { uses_[stage].ahead = 0; }

  /// Learns the size of a block that the stage has yielded.
  void Learn(StageIndex stage, int64_t bytes);

  /// Returns the largest blocks, so far, of the stages before `stage` together.
  int64_t LargestBlocksBefore(StageIndex stage) const;

  int64_t budget() const { return budget_; }
  int64_t used_by(StageIndex stage) const { return uses_[stage].bytes; }
  int64_t used() const { return used_; }
  int64_t used_max() const { return used_max_; }

 private:
  struct Use {
    int64_t bytes = 0;
    int64_t ahead = 0;
    int64_t largest = 0;
    bool learned = false;
  };

  int64_t BeyondShare(const Use& use) const { return use.bytes > share_ ? use.bytes - share_ : 0; }

  const int64_t budget_;
  const int64_t share_;
  const int64_t common_;
  std::vector<Use> uses_;
  int64_t used_ = 0;
  int64_t used_max_ = 0;
  int64_t common_used_ = 0;
};

}  // namespace penstock::dispatch
