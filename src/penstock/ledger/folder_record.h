#pragma once

#include <optional>
#include <string>
#include <vector>

#include "penstock/base/part_file.h"
#include "penstock/base/recorded_folder.h"
#include "penstock/base/status.h"

namespace penstock {

/// Files of a folder with a ledger that are no files of its job's, and part of what it holds.
struct OtherFiles {
  std::vector<PartFile> added;     // By writes that ended well while there was a ledger.
  std::vector<std::string> found;  // They were there when the job began; of these the names alone.
};

/// Returns what the ledger in a folder says is in it: the files of its job's commits, and the other
/// files. Nullopt where there is no ledger, or nothing of its job is done: then no file is its.
/// kCorruptData for a damaged entry.
Result<std::optional<RecordedFolder>> ReadFolderRecord(const std::string& folder);

/// Returns the other files that are on record: a log of their own beside the ledger's,
/// `_penstock/added/log`.
Result<OtherFiles> ReadOtherFiles(const std::string& folder);

/// Puts on record that all visible files in a folder are part of it, but for those that its record
/// has. For a job that has begun there and has nothing done.
Status RecordFoundFiles(const std::string& folder);

/// Puts on record that another write has added these files, which have their names; does nothing
/// where no job keeps a ledger. What such a write adds is part of the folder from then on.
Status RecordAddedFiles(const std::string& folder, const std::vector<PartFile>& files);

/// Returns the names of all visible files below a folder, sorted: neither they nor a folder above
/// them begin with "." or "_".
Result<std::vector<std::string>> VisibleFilesIn(const std::string& folder);

}  // namespace penstock
