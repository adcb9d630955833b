#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace penstock::runtime {

/// Gives out stretches of a file that grows as needed, the lowest free one that is large enough.
/// Threads: one at a time.
class SpillSpace {
 public:
  /// Returns where `bytes` (more than 0) may be written.
  int64_t Take(int64_t bytes) {
    for (auto stretch = free_.begin(); stretch != free_.end(); ++stretch) {
      if (stretch->second < bytes) continue;
      const auto [offset, length] = *stretch;
      free_.erase(stretch);
      if (length > bytes) free_.emplace(offset + bytes, length - bytes);
      return offset;
    }
    const int64_t offset = end_;
    end_ += bytes;
    return offset;
  }

  /// Takes back what Take gave.
  void Give(int64_t offset, int64_t bytes) {
    auto after = free_.lower_bound(offset);
    if (after != free_.end() && after->first == offset + bytes) {
      bytes += after->second;
      after = free_.erase(after);
    }
    if (after != free_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == offset) {
        offset = before->first;
        bytes += before->second;
        free_.erase(before);
      }
    }
    if (offset + bytes == end_) {
      end_ = offset;
    } else {
      free_.emplace(offset, bytes);
    }
  }

  int64_t end() const { return end_; }  // Of what is taken.

 private:
  std::map<int64_t, int64_t> free_;  // By offset, how long; none touch, nor the end.
  int64_t end_ = 0;
};

}  // namespace penstock::runtime
