#include "penstock/source/text_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

constexpr int64_t kCompressionRatio = 4;  // A guess, to group small files into chunks.
constexpr size_t kScannedAtOnce = 4;

int64_t SplitBytes(const std::vector<InputFile>& files, std::optional<int64_t> wish,
                   const ReadLimits& limits) {
  if (!wish) return limits.split_bytes;
  int64_t bytes = 0;
  for (const InputFile& file : files) bytes += std::max<int64_t>(file.bytes, 0);
  return std::max<int64_t>((bytes + *wish - 1) / *wish, 1);
}

}  // namespace

TextSplits::TextSplits(const TextFormat& format, const std::vector<InputFile>& files,
                       std::optional<int64_t> wish, const ReadLimits& limits)
    : format_(format),
      files_(files),
      split_bytes_(SplitBytes(files, wish, limits)),
      chunks_(limits) {}

Result<std::vector<Split>> TextSplits::Next(int64_t count_max) {
  std::vector<Split> splits;
  while (file_ < files_.size() && static_cast<int64_t>(splits.size()) < count_max) {
    if (!std::exchange(entered_, true)) PENSTOCK_RETURN_NOT_OK(EnterFile());
    PENSTOCK_TRY(splits.emplace_back(), NextOfFile());
    const bool scanned = cutter_ != nullptr && cutter_->scans();
    if (cutter_ == nullptr || begin_ == files_[file_].bytes) {
      ++file_;
      entered_ = false;
    }
    if (scanned && splits.size() >= kScannedAtOnce) break;
  }
  chunks_.Number(splits);
  return splits;
}

Status TextSplits::EnterFile() {
  const InputFile& file = files_[file_];
  begin_ = 0;
  cutter_ = nullptr;
  if (file.bytes <= split_bytes_ || IsCompressed(file)) return Status::OK();
  PENSTOCK_TRY(cutter_, format_.Cutter(file));
  return Status::OK();
}

Result<Split> TextSplits::NextOfFile() {
  const InputFile& file = files_[file_];
  const auto item = static_cast<int64_t>(file_);
  if (cutter_ == nullptr) {
    const int64_t ratio = IsCompressed(file) ? kCompressionRatio : 1;
    const int64_t bytes = file.bytes < 0 ? -1 : file.bytes * ratio;
    return Split{.name = file.path, .bytes = bytes, .item = item, .end = -1};
  }
  const int64_t begin = begin_;
  PENSTOCK_TRY(begin_, cutter_->EndOf(begin, std::min(begin + split_bytes_, file.bytes)));
  begin_ = std::clamp(begin_, begin + 1, file.bytes);
  return Split{.name = fmt::format("{}, bytes {} to {}", file.path, begin, begin_),
               .bytes = begin_ - begin,
               .item = item,
               .begin = begin,
               .end = begin_};
}

TextRange RangeOf(const Split& split) { return {.begin = split.begin, .end = split.end}; }

}  // namespace penstock
