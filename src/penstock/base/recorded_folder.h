#pragma once

#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// A file that is on record as part of what a folder holds.
struct RecordedFile {
  std::string name;            // In the folder.
  std::string temporary_name;  // Where it lies until it has its name; "": it has had it for good.
  bool is_own = true;          // False: it was there before its folder had a record, and may go.

  bool operator==(const RecordedFile&) const = default;
};

/// What is on record of a folder that a job writes or has written.
struct RecordedFolder {
  bool is_finished = false;         // The job is.
  std::vector<RecordedFile> files;  // By name, each once.
};

/// Reads what is on record of a folder of this machine's file systems; nullopt: nobody keeps a
/// record of it, or nothing is done yet, and what lies there is what it holds. Errors name the
/// folder.
using RecordReader = Result<std::optional<RecordedFolder>> (*)(const std::string& folder);

}  // namespace penstock
