#include "penstock/ledger/folder_record.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "penstock/base/ledger_folder.h"
#include "penstock/base/system_failure.h"
#include "penstock/ledger/log_compaction.h"
#include "penstock/ledger/log_store.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

/// So often an entry is put that others put one of its number meanwhile.
constexpr int kPutsMax = 1000;

std::unique_ptr<LogStore> LedgerOf(const files::path& folder) {
  return MakeLocalLogStore(folder / kLedgerFolder, "");
}

std::unique_ptr<LogStore> LogOfOthers(const files::path& folder) {
  return MakeLocalLogStore(folder / kLedgerFolder / "added", "");
}

/// Adds an entry; one of kind kBegin is of files that were found.
Status PutEntry(const std::string& folder, CommitKind kind, std::vector<PartFile> of_entry) {
  const auto log = LogOfOthers(folder);
  PENSTOCK_RETURN_NOT_OK(log->Create());
  Commit entry{.kind = kind, .files = std::move(of_entry)};
  for (int puts = 0; puts < kPutsMax; ++puts) {
    PENSTOCK_TRY(const std::optional<int64_t> last, LastEntry(*log));
    entry.number = last ? *last + 1 : 0;
    PENSTOCK_TRY(const std::string text, CommitText(entry));
    PENSTOCK_TRY(const bool put, log->PutIfAbsent(entry.number, text));
    if (!put) continue;
    PENSTOCK_TRY(const bool is_late, IsInRun(*log, entry.number));
    if (!is_late) {
      static_cast<void>(CompactLog(*log, entry.number, entry.number));
      return Status::OK();
    }
    PENSTOCK_RETURN_NOT_OK(log->Drop({entry.number}, {}));
  }
  return Status::IOError("Too many writes add to one folder at once; let fewer run; got: ", folder);
}

}  // namespace

Result<std::optional<RecordedFolder>> ReadFolderRecord(const std::string& folder) {
  const auto ledger = LedgerOf(folder);
  PENSTOCK_TRY(const std::optional<int64_t> last, LastEntry(*ledger));
  if (!last) return std::nullopt;
  PENSTOCK_TRY(const std::vector<Commit> entries, ReadEntries(*ledger));
  const Commit& latest = entries.back();
  RecordedFolder record{.is_finished = IsFinished(latest.kind)};
  if (!record.is_finished && latest.done.empty()) return std::nullopt;
  PENSTOCK_TRY(const OtherFiles others, ReadOtherFiles(folder));
  std::map<std::string, RecordedFile> by_name;
  for (const std::string& name : others.found) by_name[name] = {.name = name, .is_own = false};
  for (const PartFile& file : others.added) by_name[file.name] = {.name = file.name};
  for (const Commit& entry : entries) {
    for (const PartFile& file : entry.files) {
      const bool may_move = entry.number >= latest.published;
      by_name[file.name] = {.name = file.name,
                            .temporary_name = may_move ? file.temporary_name : ""};
    }
  }
  for (auto& [name, file] : by_name) record.files.push_back(std::move(file));
  return record;
}

Result<OtherFiles> ReadOtherFiles(const std::string& folder) {
  const auto log = LogOfOthers(folder);
  PENSTOCK_TRY(const std::vector<Commit> entries, ReadEntries(*log));
  OtherFiles others;
  for (const Commit& entry : entries) {
    for (const PartFile& file : entry.files) {
      if (entry.kind == CommitKind::kBegin) {
        others.found.push_back(file.name);
      } else {
        others.added.push_back(file);
      }
    }
  }
  return others;
}

Status RecordFoundFiles(const std::string& folder) {
  PENSTOCK_TRY(const std::vector<std::string> there, VisibleFilesIn(folder));
  if (there.empty()) return Status::OK();
  PENSTOCK_TRY(const OtherFiles others, ReadOtherFiles(folder));
  std::set<std::string> known(others.found.begin(), others.found.end());
  for (const PartFile& file : others.added) known.insert(file.name);
  std::vector<PartFile> found;
  for (const std::string& name : there) {
    if (!known.contains(name)) found.push_back({.name = name});
  }
  return found.empty() ? Status::OK() : PutEntry(folder, CommitKind::kBegin, std::move(found));
}

Status RecordAddedFiles(const std::string& folder, const std::vector<PartFile>& files) {
  const auto ledger = LedgerOf(folder);
  PENSTOCK_TRY(const std::optional<int64_t> last, LastEntry(*ledger));
  if (!last || files.empty()) return Status::OK();
  return PutEntry(folder, CommitKind::kChunks, files);
}

Result<std::vector<std::string>> VisibleFilesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  files::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != files::recursive_directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.starts_with('.') || name.starts_with('_')) {
      entry.disable_recursion_pending();
      continue;
    }
    std::error_code gone;
    if (!entry->is_directory(gone)) names.push_back(entry->path().lexically_relative(folder));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return SystemFailure(error.value(), "list", folder);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace penstock
