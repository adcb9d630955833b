#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/source/input_files.h"

namespace penstock {

/// A list of files that takes about their names' own bytes: neighbours share folder, file system
/// and codec.
class FileRuns {
 public:
  void Add(const InputFile& file);
  int64_t count() const { return count_; }
  std::vector<InputFile> Files() const;

 private:
  struct Run {
    std::shared_ptr<arrow::fs::FileSystem> file_system;  // Shared with all files that lie on it.
    std::string folder;                                  // As the paths begin,
    std::string folder_location;                         // and as the locations do.
    SaidCodec codec;
    std::string names;  // Each followed by a null.
    std::vector<int64_t> bytes;
  };

  std::vector<Run> runs_;
  int64_t count_ = 0;
};

}  // namespace penstock
