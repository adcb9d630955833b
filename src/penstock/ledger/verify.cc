#include "penstock/ledger/verify.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "penstock/base/crc32c.h"
#include "penstock/base/error.h"
#include "penstock/base/system_failure.h"
#include "penstock/ledger/ledger_folder.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

struct Read {
  int64_t bytes = 0;
  uint32_t crc32c = 0;
};

Result<Read> ReadFile(const files::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemFailure(errno, "read", path);
  std::string piece(size_t{1} << 20, '\0');
  Read read_so_far;
  while (true) {
    const ssize_t bytes = read(file, piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    const int error = bytes < 0 ? errno : 0;
    if (bytes <= 0) close(file);
    if (bytes < 0) return SystemFailure(error, "read", path);
    if (bytes == 0) return read_so_far;
    read_so_far.bytes += bytes;
    read_so_far.crc32c = Crc32c({piece.data(), static_cast<size_t>(bytes)}, read_so_far.crc32c);
  }
}

bool IsHidden(const std::string& name) { return name.starts_with('.') || name.starts_with('_'); }

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
      for (const CommittedFile& file : entry.files) {
        CheckFile(file, /*may_be_hidden=*/entry.number >= entries.back().published);
      }
    }
    PENSTOCK_RETURN_NOT_OK(FindStrays());
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
      if (entry.kind == CommitKind::kBegin) ++epoch;
      if (entry.epoch != epoch) Problem("Entry {} is of another run than it says", entry.number);
      for (const ChunkRange& range : entry.chunks) {
        for (int64_t chunk = range.first; chunk <= range.last; ++chunk) {
          if (done.Contains(chunk)) Problem("Entry {} has chunk {} again", entry.number, chunk);
          done.Add({chunk, chunk});
        }
      }
      for (const CommittedFile& file : entry.files) file_rows += file.rows;
      found_.files += static_cast<int64_t>(entry.files.size());
      if (entry.done != done || entry.files_done != found_.files) {
        Problem("Entry {} does not add up with those before it", entry.number);
      }
      rows = entry.rows;
    }
    const bool maps_rows = rows.out == file_rows || entries.back().done.empty();
    if (!maps_rows) Problem("The files have {} rows, and the entries {}", file_rows, rows.out);
    found_.rows = rows;
    found_.chunks = done.size();
    found_.entries = static_cast<int64_t>(entries.size());
    found_.is_finished = entries.back().kind == CommitKind::kEnd;
  }

  void CheckFile(const CommittedFile& file, bool may_be_hidden) {
    if (!known_.insert(file.name).second) Problem("{} is in the ledger twice", file.name);
    files::path path = folder_ / file.name;
    std::error_code ignored;
    if (may_be_hidden && !files::exists(path, ignored)) path = folder_ / file.temporary;
    const Result<Read> read = ReadFile(path);
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

  Status FindStrays() {
    std::error_code error;
    files::recursive_directory_iterator entry(folder_, error);
    for (; !error && entry != files::recursive_directory_iterator(); entry.increment(error)) {
      if (IsHidden(entry->path().filename())) {
        entry.disable_recursion_pending();
        continue;
      }
      std::error_code ignored;
      const std::string name = entry->path().lexically_relative(folder_);
      if (!entry->is_directory(ignored) && !known_.contains(name)) {
        Problem("{} is not in the ledger", name);
      }
    }
    return error ? SystemFailure(error.value(), "list", folder_) : Status::OK();
  }

  const files::path folder_;
  Verification found_;
  std::set<std::string> known_;
};

}  // namespace

Result<std::vector<Commit>> ReadEntries(LogStore& store) {
  PENSTOCK_TRY(const std::vector<int64_t> numbers, store.List());
  std::vector<Commit> entries;
  for (const int64_t number : numbers) {
    const auto next = static_cast<int64_t>(entries.size());
    if (number != next) {
      return MakeError(ErrorKind::kCorruptData,
                       "An entry of a job's ledger is missing; got: " + store.PathOf(next));
    }
    PENSTOCK_TRY(const std::string text, store.Read(number));
    PENSTOCK_TRY(entries.emplace_back(), ReadCommit(text, store.PathOf(number)));
    if (entries.back().number != number) {
      return MakeError(
          ErrorKind::kCorruptData,
          "An entry of a job's ledger is not the one of its name; got: " + store.PathOf(number));
    }
  }
  return entries;
}

Result<Verification> VerifyOutput(const std::string& folder) { return Verifier(folder).Run(); }

}  // namespace penstock
