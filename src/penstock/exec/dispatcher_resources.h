#pragma once

#include <string>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock::dispatch {

/// Keeps what the job has of the machine (processors, GPUs, memory, the job's own kinds) and what
/// its workers hold of it. Never oversold.
class ResourceTable {
 public:
  explicit ResourceTable(std::vector<ResourceLimit> limits);

  /// Returns whether one worker of `need` fits beside those that are there. `need` goes by the
  /// limits' order; what it lacks at its end is 0.
  bool Fits(const std::vector<double>& need) const { return Missing(need).empty(); }

  /// Returns the name of the first resource that one worker of `need` lacks now; empty: it fits.
  std::string Missing(const std::vector<double>& need) const;

  void Take(const std::vector<double>& need);
  void Give(const std::vector<double>& need);

  /// Returns whether both ask for a resource that is short for `need` now.
  bool Contend(const std::vector<double>& need, const std::vector<double>& other) const;

  /// Returns whether `need` would not fit any more once `other` has been taken.
  bool Compete(const std::vector<double>& need, const std::vector<double>& other) const;

 private:
  double Left(size_t resource) const { return limits_[resource].amount - taken_[resource]; }

  const std::vector<ResourceLimit> limits_;
  std::vector<double> taken_;
};

}  // namespace penstock::dispatch
