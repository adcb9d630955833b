#include "penstock/exec/split_names.h"

#include <utility>

#include "penstock/base/check.h"

namespace penstock {

void SplitNames::Add(int64_t index, std::string name) {
  MutexLock lock(mutex_);
  PENSTOCK_CHECK(index == end_);
  names_.push_back(std::move(name));
  ++end_;
  if (static_cast<int64_t>(names_.size()) > kNamesMax) names_.pop_front();
}

std::string SplitNames::NameOf(int64_t index) const {
  MutexLock lock(mutex_);
  const int64_t first = end_ - static_cast<int64_t>(names_.size());
  if (index < first || index >= end_) return "split " + std::to_string(index);
  return names_[static_cast<size_t>(index - first)];
}

}  // namespace penstock
