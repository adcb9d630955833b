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
constexpr size_t kDigits = 20;

std::string NameOf(int64_t number) { return fmt::format("{:0{}}{}", number, kDigits, kSuffix); }

std::optional<int64_t> NumberOf(const std::string& name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  int64_t number = 0;
  const char* const end = name.data() + kDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

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

  Result<std::vector<int64_t>> List() override {
    std::vector<int64_t> numbers;
    std::error_code error;
    files::directory_iterator entry(log_, error);
    for (; !error && entry != files::directory_iterator(); entry.increment(error)) {
      if (const auto number = NumberOf(entry->path().filename())) numbers.push_back(*number);
    }
    if (error && error.value() != ENOENT) return SystemFailure(error.value(), "list", log_);
    std::ranges::sort(numbers);
    return numbers;
  }

  Result<std::string> Read(int64_t number) override { return ReadSmallFile(PathOf(number)); }

  Result<bool> PutIfAbsent(int64_t number, const std::string& text) override {
    return PutSmallFile(log_, NameOf(number), text, random_());
  }

  Status Clear() override {
    PENSTOCK_TRY(const std::vector<int64_t> numbers, List());
    for (const int64_t number : numbers) {
      const std::string path = PathOf(number);
      if (unlink(path.c_str()) != 0 && errno != ENOENT) return SystemFailure(errno, "remove", path);
    }
    return numbers.empty() ? Status::OK() : SyncFolder(log_);
  }

  void Remove() override {
    std::error_code ignored;
    files::remove_all(folder_, ignored);
  }

  std::string PathOf(int64_t number) override { return log_ / NameOf(number); }

 private:
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
