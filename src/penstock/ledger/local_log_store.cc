#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include "penstock/base/descriptor.h"
#include "penstock/base/local_files.h"
#include "penstock/base/system_failure.h"
#include "penstock/ledger/log_store.h"
#include "penstock/ledger/small_file.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kRunSuffix = ".jsonl";
constexpr size_t kDigits = 20;

std::string NameOf(int64_t number) { return fmt::format("{:0{}}{}", number, kDigits, kSuffix); }

std::string NameOfRun(EntryRun run) {
  return fmt::format("{:0{}}-{:0{}}{}", run.first, kDigits, run.last, kDigits, kRunSuffix);
}

/// Reads a number of 20 digits.
std::optional<int64_t> NumberIn(std::string_view digits) {
  int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  const bool is_number = digits.size() == kDigits && error == std::errc() && stop == end;
  return is_number && number >= 0 ? std::optional(number) : std::nullopt;
}

std::optional<int64_t> NumberOf(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  return NumberIn(name.substr(0, name.size() - kSuffix.size()));
}

std::optional<EntryRun> RunOf(std::string_view name) {
  if (name.size() != 2 * kDigits + 1 + kRunSuffix.size() || !name.ends_with(kRunSuffix) ||
      name[kDigits] != '-') {
    return std::nullopt;
  }
  const auto first = NumberIn(name.substr(0, kDigits));
  const auto last = NumberIn(name.substr(kDigits + 1, kDigits));
  if (!first || !last || *last < *first) return std::nullopt;
  return EntryRun{*first, *last};
}

/// Numbers by their order; of runs that begin with one entry the longest first.
struct IsBefore {
  bool operator()(int64_t one, int64_t other) const { return one < other; }
  bool operator()(EntryRun one, EntryRun other) const {
    return one.first != other.first ? one.first < other.first : one.last > other.last;
  }
};

class LocalLogStore final : public LogStore {
 public:
  LocalLogStore(const std::string& folder, std::string holder)
      : folder_(folder),
        log_(folder_ / "log"),
        lock_(folder_ / "lock"),
        holder_(std::move(holder)) {}

  Status Create() override {
    PENSTOCK_RETURN_NOT_OK(MakeFolder(folder_));
    return MakeFolder(log_);
  }

  Result<bool> Lock() override {
    OwnedDescriptor file(open(lock_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666));
    if (file.get() < 0) return SystemFailure(errno, "create", lock_);
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    if (ftruncate(file.get(), 0) != 0) return SystemFailure(errno, "write", lock_);
    PENSTOCK_RETURN_NOT_OK(WriteAll(file.get(), holder_, lock_));
    held_ = std::move(file);
    RemoveLeftovers();
    return true;
  }

  std::string Holder() override { return ReadSmallFile(lock_).ValueOr(""); }

  Result<std::vector<int64_t>> List() override { return ListAs(NumberOf); }

  Result<std::vector<EntryRun>> ListRuns() override { return ListAs(RunOf); }

  Result<std::string> Read(int64_t number) override { return ReadSmallFile(PathOf(number)); }

  Result<std::string> ReadRun(EntryRun run) override { return ReadSmallFile(PathOfRun(run)); }

  Result<bool> PutIfAbsent(int64_t number, const std::string& text) override {
    return PutSmallFile(log_, NameOf(number), text, random_());
  }

  Status PutRun(EntryRun run, const std::string& text) override {
    return PutSmallFile(log_, NameOfRun(run), text, random_()).status();
  }

  Status Drop(const std::vector<int64_t>& entries, const std::vector<EntryRun>& runs) override {
    for (const int64_t number : entries) PENSTOCK_RETURN_NOT_OK(RemoveFile(PathOf(number)));
    for (const EntryRun& run : runs) PENSTOCK_RETURN_NOT_OK(RemoveFile(PathOfRun(run)));
    return Status::OK();
  }

  Status Clear() override {
    PENSTOCK_TRY(const std::vector<int64_t> numbers, List());
    PENSTOCK_TRY(const std::vector<EntryRun> runs, ListRuns());
    PENSTOCK_RETURN_NOT_OK(Drop({}, runs));
    PENSTOCK_RETURN_NOT_OK(Drop(numbers, {}));
    return numbers.empty() ? Status::OK() : SyncFolder(log_);
  }

  void Remove() override {
    std::error_code ignored;
    files::remove_all(folder_, ignored);
  }

  std::string PathOf(int64_t number) override { return log_ / NameOf(number); }

  std::string PathOfRun(EntryRun run) override { return log_ / NameOfRun(run); }

 private:
  /// Returns what the names in the log's folder say that are such names, in order.
  template <typename One>
  Result<std::vector<One>> ListAs(std::optional<One> (*read)(std::string_view)) {
    std::vector<One> found;
    std::error_code error;
    files::directory_iterator entry(log_, error);
    for (; !error && entry != files::directory_iterator(); entry.increment(error)) {
      if (const auto one = read(entry->path().filename().native())) found.push_back(*one);
    }
    if (error && error.value() != ENOENT) return SystemFailure(error.value(), "list", log_);
    std::ranges::sort(found, IsBefore());
    return found;
  }

  static Status RemoveFile(const std::string& path) {
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return Status::OK();
    return SystemFailure(errno, "remove", path);
  }

  /// Removes entries that a process which was cut off has not come to name.
  void RemoveLeftovers() {
    std::error_code error;
    files::directory_iterator entry(log_, error);
    for (; !error && entry != files::directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename();
      if (name.starts_with('.')) unlink(entry->path().c_str());
    }
  }

  const files::path folder_;
  const files::path log_;
  const files::path lock_;
  const std::string holder_;
  std::random_device random_;
  OwnedDescriptor held_;  // The lock's.
};

}  // namespace

std::unique_ptr<LogStore> MakeLocalLogStore(const std::string& folder, std::string holder) {
  return std::make_unique<LocalLogStore>(folder, std::move(holder));
}

}  // namespace penstock
