#include "penstock/worker/worker_lines.h"

#include <fmt/format.h>

#include <utility>

namespace penstock {

void WorkerLines::Add(StandardStream stream, std::string text) {
  const auto bytes = static_cast<int64_t>(text.size());
  MutexLock lock(mutex_);
  if (static_cast<int64_t>(lines_.size()) >= kWaitingLinesMax ||
      bytes_ + bytes > kWaitingLineBytesMax) {
    ++left_out_;
    return;
  }
  bytes_ += bytes;
  lines_.push_back({.stream = stream, .text = std::move(text)});
}

std::vector<WorkerLine> WorkerLines::TakeAll() {
  MutexLock lock(mutex_);
  bytes_ = 0;
  std::vector<WorkerLine> taken = std::exchange(lines_, {});
  if (const int64_t left_out = std::exchange(left_out_, 0); left_out > 0) {
    taken.push_back({.stream = StandardStream::kErrors,
                     .text = "(workers) " + LeftOutText(left_out) + ": the job's caller was busy"});
  }
  return taken;
}

std::string LeftOutText(int64_t lines) {
  const std::string digits = std::to_string(lines);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return fmt::format("… {} {} left out", grouped, lines == 1 ? "line" : "lines");
}

}  // namespace penstock
