#include "penstock/ledger/verify.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "penstock/base/descriptor.h"
#include "penstock/base/error.h"
#include "penstock/base/ledger_folder.h"
#include "penstock/base/local_files.h"
#include "penstock/base/system_failure.h"
#include "penstock/ledger/folder_record.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

Result<FileChecksum> ReadFile(const files::path& path) {
  const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemFailure(errno, "read", path);
  return ReadChecksum(file.get(), path);
}

class Verifier {
 public:
  explicit Verifier(const std::string& folder) : folder_(folder) {}

  Result<Verification> Run() {
    const auto store = MakeLocalLogStore(folder_ / kLedgerFolder, "");
    PENSTOCK_TRY(const std::vector<Commit> entries, ReadEntries(*store));
    if (entries.empty()) {
      return MakeError(ErrorKind::kMissingPath,
                       "There is no ledger of a job here; name the folder that the job wrote to; "
                       "got: " +
                           folder_.string());
    }
    CheckEntries(entries);
    for (const Commit& entry : entries) {
      const bool may_be_hidden = entry.number >= entries.back().published;
      for (const PartFile& file : entry.letters) {
        if (!taken_.contains(file.name)) CheckFile(file, may_be_hidden);
      }
      for (const PartFile& file : entry.files) CheckFile(file, may_be_hidden);
    }
    PENSTOCK_TRY(const OtherFiles others, ReadOtherFiles(folder_));
    for (const PartFile& file : others.added) CheckFile(file, /*may_be_hidden=*/false);
    known_.insert(others.found.begin(), others.found.end());
    PENSTOCK_RETURN_NOT_OK(FindStrays(""));
    PENSTOCK_RETURN_NOT_OK(FindStrays(kDeadLetterFolder));
    return std::move(found_);
  }

 private:
  template <typename... Arguments>
  void Problem(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    found_.problems.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  /// Adds the entries up, and compares each with the sum that it tells itself.
  void CheckEntries(const std::vector<Commit>& entries) {
    ChunkSet done;
    RowCounts rows;
    int64_t epoch = 0;
    int64_t file_rows = 0;
    for (const Commit& entry : entries) {
      if (entry.kind == CommitKind::kBegin || entry.kind == CommitKind::kRetry) ++epoch;
      if (entry.epoch != epoch) Problem("Entry {} is of another run than it says", entry.number);
      for (const ChunkRange& range : entry.chunks) {
        for (int64_t chunk = range.first; chunk <= range.last; ++chunk) {
          if (done.Contains(chunk)) Problem("Entry {} has chunk {} again", entry.number, chunk);
          done.Add({chunk, chunk});
        }
      }
      for (const PartFile& file : entry.files) file_rows += file.rows;
      CheckTaken(entry, entry.number >= entries.back().published);
      found_.files += static_cast<int64_t>(entry.files.size());
      if (entry.done != done || entry.files_done != found_.files) {
        Problem("Entry {} does not add up with those before it", entry.number);
      }
      rows = entry.rows;
    }
    const bool maps_rows = rows.out == file_rows || entries.back().done.empty();
    if (!maps_rows) Problem("The files have {} rows, and the entries {}", file_rows, rows.out);
    if (!rows.AddUp()) {
      Problem("The rows do not add up: {} were read, {} written, {} failed, {} were filtered",
              rows.in, rows.out, rows.dead, *rows.filtered);
    }
    found_.rows = rows;
    found_.chunks = done.size();
    found_.is_finished = IsFinished(entries.back().kind);
  }

  /// Letters can be taken away once, by a later entry than theirs; their files may be there until
  /// those of the entry have their names.
  void CheckTaken(const Commit& entry, bool may_be_there) {
    for (const PartFile& file : entry.taken) {
      const auto letters = letters_.extract(file.name);
      if (letters.empty() || letters.mapped() != file) {
        Problem("Entry {} takes away letters that are not there: {}", entry.number, file.name);
      }
      taken_.insert(file.name);
      if (may_be_there) known_.insert(file.name);
    }
    for (const PartFile& file : entry.letters) letters_.emplace(file.name, file);
  }

  void CheckFile(const PartFile& file, bool may_be_hidden) {
    if (!known_.insert(file.name).second) Problem("{} is in the ledger twice", file.name);
    files::path path = folder_ / file.name;
    std::error_code ignored;
    if (may_be_hidden && !files::exists(path, ignored)) path = folder_ / file.temporary_name;
    const Result<FileChecksum> read = ReadFile(path);
    if (!read.ok()) {
      Problem("{}: {}", file.name, read.status().message());
      return;
    }
    found_.bytes += read->bytes;
    if (read->bytes != file.bytes) {
      Problem("{} has {} bytes instead of {}", file.name, read->bytes, file.bytes);
    } else if (read->crc32c != file.crc32c) {
      Problem("{} has other bytes than were written: its checksum is {:08x} instead of {:08x}",
              file.name, read->crc32c, file.crc32c);
    }
  }

  Status FindStrays(const files::path& within) {
    PENSTOCK_TRY(const std::vector<std::string> names, VisibleFilesIn(folder_ / within));
    for (const std::string& name : names) {
      const std::string whole = within / name;
      if (!known_.contains(whole)) Problem("{} is not in the ledger", whole);
    }
    return Status::OK();
  }

  const files::path folder_;
  Verification found_;
  std::set<std::string> known_;
  std::map<std::string, PartFile> letters_;  // That no entry has taken away so far.
  std::set<std::string> taken_;
};

}  // namespace

Result<Verification> VerifyOutput(const std::string& folder) { return Verifier(folder).Run(); }

}  // namespace penstock
