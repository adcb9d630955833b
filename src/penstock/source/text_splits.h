#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/chunks.h"
#include "penstock/source/source.h"
#include "penstock/source/text_source.h"

namespace penstock {

/// Lists text files as splits: ranges of those that can be cut, the others whole. One thread.
class TextSplits {
 public:
  /// `wish` is about how many splits there are to be. Borrows format and files.
  TextSplits(const TextFormat& format, const std::vector<InputFile>& files,
             std::optional<int64_t> wish, const ReadLimits& limits);

  /// As Source::NextSplits. Where cutting reads the file, few come at a time.
  Result<std::vector<Split>> Next(int64_t count_max);

 private:
  Status EnterFile();
  Result<Split> NextOfFile();

  const TextFormat& format_;
  const std::vector<InputFile>& files_;
  const int64_t split_bytes_;
  ChunkGrouper chunks_;
  size_t file_ = 0;
  bool entered_ = false;
  std::unique_ptr<TextCutter> cutter_;  // Of the file that is being cut.
  int64_t begin_ = 0;
};

/// Returns the range of a split that TextSplits listed.
TextRange RangeOf(const Split& split);

}  // namespace penstock
