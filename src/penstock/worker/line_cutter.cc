#include "penstock/worker/line_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

/// Returns what a terminal would show of a line that goes back to its beginning.
std::string_view LastState(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const size_t overwritten = line.rfind('\r');
  return overwritten == std::string_view::npos ? line : line.substr(overwritten + 1);
}

}  // namespace

void LineCutter::Take(std::string_view bytes, int64_t now_ns) {
  Remember(bytes);
  if (lines_ == nullptr) return;
  if (!has_begun_ || now_ns - second_start_ns_ >= kSecondNs) {
    has_begun_ = true;
    second_start_ns_ = now_ns;
    lines_left_ = kLinesPerSecondMax;
    bytes_left_ = kLineBytesPerSecondMax;
  }
  Cut(bytes);
}

void LineCutter::Cut(std::string_view bytes) {
  for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    if (exhausted()) {  // Whatever ends here is left out.
      left_out_ += std::count(bytes.begin(), bytes.end(), '\n');
      bytes.remove_prefix(bytes.rfind('\n') + 1);
      begun_.clear();
      break;
    }
    begun_.append(bytes.substr(0, end));
    Show(begun_);
    begun_.clear();
    bytes.remove_prefix(end + 1);
  }
  begun_.append(bytes);
  if (begun_.size() <= kLineBytesMax) return;
  const size_t overwritten = begun_.rfind('\r', begun_.size() - 2);
  if (overwritten != std::string::npos) begun_.erase(0, overwritten + 1);
  while (begun_.size() > kLineBytesMax) {
    Show(std::string_view(begun_).substr(0, kLineBytesMax));
    begun_.erase(0, kLineBytesMax);
  }
}

void LineCutter::Show(std::string_view line) {
  if (exhausted()) {
    ++left_out_;
    return;
  }
  SayLeftOut();
  line = LastState(line);
  --lines_left_;
  bytes_left_ -= static_cast<int64_t>(line.size());
  lines_->Add(stream_, fmt::format("({}){}{}", name_, line.empty() ? "" : " ", line));
}

void LineCutter::SayLeftOut() {
  if (const int64_t left_out = std::exchange(left_out_, 0); left_out > 0) {
    lines_->Add(stream_, fmt::format("({}) {}", name_, LeftOutText(left_out)));
  }
}

void LineCutter::End() {
  if (lines_ == nullptr) return;
  if (!begun_.empty()) Show(begun_);
  begun_.clear();
  SayLeftOut();
}

void LineCutter::Remember(std::string_view bytes) {
  last_.append(bytes.substr(bytes.size() - std::min(bytes.size(), kLastBytesMax)));
  last_is_cut_ |= bytes.size() > kLastBytesMax || last_.size() > kLastBytesMax;
  if (last_.size() > kLastBytesMax) last_.erase(0, last_.size() - kLastBytesMax);
}

std::optional<std::string> LineCutter::LastFrom(std::string_view mark) const {
  const size_t start = last_.rfind(mark);
  if (start == std::string::npos) return std::nullopt;
  return last_.substr(start);
}

std::string LineCutter::LastLines() const {
  std::string_view lines = last_;
  if (last_is_cut_) {
    const size_t whole = lines.find('\n');
    if (whole != std::string_view::npos) lines.remove_prefix(whole + 1);
  }
  while (!lines.empty() && lines.back() == '\n') lines.remove_suffix(1);
  size_t start = lines.size();
  for (size_t count = 0; count < kLastLinesMax && start != 0; ++count) {
    start = lines.rfind('\n', start - 1);
    if (start == std::string_view::npos) start = 0;
  }
  if (start != 0) ++start;
  return std::string(lines.substr(start));
}

}  // namespace penstock
