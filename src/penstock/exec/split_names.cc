#include "penstock/exec/split_names.h"

#include <utility>

#include "penstock/base/check.h"

namespace penstock {

void SplitNames::Add(int64_t read, int64_t index, std::string name) {
  MutexLock lock(mutex_);
  Names& names = reads_[read];
  PENSTOCK_CHECK(index == names.end);
  names.last.push_back(std::move(name));
  ++names.end;
  if (static_cast<int64_t>(names.last.size()) > kNamesMax) names.last.pop_front();
}

std::string SplitNames::NameOf(int64_t split) const {
  const int64_t read = split / JobWideNumber(1, 0);
  const int64_t index = split % JobWideNumber(1, 0);
  MutexLock lock(mutex_);
  const auto found = reads_.find(read);
  if (found != reads_.end()) {
    const Names& names = found->second;
    const int64_t first = names.end - static_cast<int64_t>(names.last.size());
    if (index >= first && index < names.end) return names.last[static_cast<size_t>(index - first)];
  }
  return "split " + std::to_string(index);
}

}  // namespace penstock
