#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/worker/worker_lines.h"

namespace penstock {

/// What is shown of one stream of a worker in a second.
inline constexpr int64_t kLinesPerSecondMax = 500;
inline constexpr int64_t kLineBytesPerSecondMax = int64_t{256} << 10;

inline constexpr size_t kLineBytesMax = size_t{8} << 10;  // Longer ones are shown in pieces.

/// What is remembered of a stream's end, so that a death can show it.
inline constexpr size_t kLastLinesMax = 16;
inline constexpr size_t kLastBytesMax = size_t{16} << 10;

/// Cuts what one stream of a process brings into whole lines and hands them on with a name before
/// them, as many as the limits allow. What is left out is counted, and said before the next line
/// that is shown, and at the end. Where a line was overwritten after a carriage return, as progress
/// bars do, its last state counts.
///
/// Threads: one at a time.
class LineCutter {
 public:
  /// `lines` may be null: then the end alone is remembered.
  LineCutter(std::string name, StandardStream stream, std::shared_ptr<WorkerLines> lines)
      : name_(std::move(name)), stream_(stream), lines_(std::move(lines)) {}

  /// Names the lines from here on, also one that has begun.
  void SetName(std::string name) { name_ = std::move(name); }

  /// Takes what came at `now_ns`, by a clock that never goes back.
  void Take(std::string_view bytes, int64_t now_ns);

  /// Hands on a last line that has no end, and says what was left out.
  void End();

  /// Returns the last lines, kLastLinesMax at most, whether they were shown or not.
  std::string LastLines() const;

  /// Returns what is remembered from the last `mark` on; nothing where it is not found.
  std::optional<std::string> LastFrom(std::string_view mark) const;

 private:
  void Remember(std::string_view bytes);
  void Cut(std::string_view bytes);
  void Show(std::string_view line);
  void SayLeftOut();
  bool exhausted() const { return lines_left_ <= 0 || bytes_left_ <= 0; }

  std::string name_;
  const StandardStream stream_;
  const std::shared_ptr<WorkerLines> lines_;

  std::string begun_;  // A line whose end has not come.
  std::string last_;   // The last bytes, kLastBytesMax at most.
  bool last_is_cut_ = false;
  bool has_begun_ = false;  // The first second has.
  int64_t second_start_ns_ = 0;
  int64_t lines_left_ = 0;
  int64_t bytes_left_ = 0;
  int64_t left_out_ = 0;
};

}  // namespace penstock
