#pragma once

#include <arrow/filesystem/filesystem.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// The names of the files and folders that lie directly in a folder, in the order that the paths
/// of all files below it have when sorted as text. About the names' own bytes in memory.
class FolderNames {
 public:
  /// A folder's identity on this machine's file systems; zeros elsewhere.
  using Identity = std::pair<uint64_t, uint64_t>;

  /// Lists a folder; one that is not there has no names. Neither sockets, pipes and devices nor
  /// links that lead nowhere are listed. Local files are not touched: their sizes are not known.
  static Result<FolderNames> List(arrow::fs::FileSystem& file_system, const std::string& location);

  size_t size() const { return entries_.size(); }
  std::string_view name(size_t index) const;
  bool is_folder(size_t index) const;
  int64_t bytes(size_t index) const { return entries_[index].bytes; }  // -1: not known.
  Identity identity() const { return identity_; }

 private:
  struct Entry {
    size_t begin = 0;  // In text_, where a folder's name ends with a slash.
    uint32_t length = 0;
    int64_t bytes = -1;
  };

  Status ListLocal(const std::string& location);
  Status ListThroughArrow(arrow::fs::FileSystem& file_system, const std::string& location);
  void Add(std::string_view name, bool is_folder, int64_t bytes);
  std::string_view text(const Entry& entry) const {
    return std::string_view(text_).substr(entry.begin, entry.length);
  }
  void Sort();

  std::string text_;
  std::vector<Entry> entries_;
  Identity identity_;
};

}  // namespace penstock
