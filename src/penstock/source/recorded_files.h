#pragma once

#include <arrow/filesystem/filesystem.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/recorded_folder.h"
#include "penstock/base/status.h"

namespace penstock {

/// Says how what is on record of a folder is read. Readers know no ledgers; so whoever starts jobs
/// says it, before the first of them lists files, and always the same. Threads: any.
void SetRecordReader(RecordReader read_record);

/// Returns what is on record of a folder of this machine; nullopt too where nobody said how that is
/// read.
Result<std::optional<RecordedFolder>> ReadRecord(const std::string& folder);

/// Where a file on record lies.
struct RecordedPlace {
  std::string location;  // Under its own name,
  std::string lies_at;   // and under which it lies until then; "": it has its own.

  bool operator==(const RecordedPlace&) const = default;
};

/// Whether a file is read by its name.
using NameFilter = std::function<bool(std::string_view name)>;

/// What is to be read of a folder with a record.
struct RecordedPlaces {
  std::vector<RecordedPlace> files;  // Sorted as text by location.
  std::vector<std::string> strays;   // Locations of files that are on no record.

  /// Returns a file system on which each file is found by its location, whether its job has given
  /// it that name or does so at any time; null, where all have theirs.
  std::shared_ptr<arrow::fs::FileSystem> FileSystem() const;
};

/// Finds the files on record of a folder of this machine, as many as `is_read` says, and those that
/// are on none. A subfolder with a record of its own is taken by that; names that begin with "." or
/// "_" are no strays. kCorruptData naming a file that is on record and not there.
Result<RecordedPlaces> FindRecorded(arrow::fs::FileSystem& file_system, const std::string& folder,
                                    const RecordedFolder& record, const NameFilter& is_read);

}  // namespace penstock
