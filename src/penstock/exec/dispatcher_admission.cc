#include "penstock/exec/dispatcher_admission.h"

#include <algorithm>

namespace penstock::dispatch {

Admission::Admission(int64_t budget_bytes, const std::vector<int64_t>& estimates)
    : budget_(budget_bytes),
      share_(budget_bytes / 2 / static_cast<int64_t>(estimates.size())),
      common_(budget_bytes - share_ * static_cast<int64_t>(estimates.size())) {
  for (const int64_t estimate : estimates) uses_.push_back({.largest = estimate});
}

bool Admission::Admits(StageIndex stage, bool ahead, bool wanted) const {
  const Use& use = uses_[stage];
  if (used_ + use.largest > budget_) return false;
  const int64_t others = common_used_ - BeyondShare(use);
  const int64_t beyond = wanted ? std::max<int64_t>(0, common_ - others) : 0;
  const int64_t allowed = share_ + beyond;
  if (use.bytes + use.largest > allowed) return false;
  return !ahead || use.ahead + use.largest <= allowed / 2;
}

void Admission::Add(StageIndex stage, int64_t bytes) {
  Use& use = uses_[stage];
  common_used_ -= BeyondShare(use);
  use.bytes += bytes;
  common_used_ += BeyondShare(use);
  used_ += bytes;
  used_max_ = std::max(used_max_, used_);
}

void Admission::Learn(StageIndex stage, int64_t bytes) {
  Use& use = uses_[stage];
  use.largest = use.learned ? std::max(use.largest, bytes) : bytes;
  use.learned = true;
}

int64_t Admission::LargestBlocksBefore(StageIndex stage) const {
  int64_t sum = 0;
  for (StageIndex before = 0; before < stage; ++before) {
    if (uses_[before].learned) sum += uses_[before].largest;
  }
  return sum;
}

}  // namespace penstock::dispatch
