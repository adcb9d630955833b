#include "penstock/exec/job_identity.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "penstock/exec/batch_digest.h"
#include "penstock/ledger/digest.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

/// Where the rows go to does not change them.
constexpr std::array kWriteOptionsLeftOut{
    "path", "mode", "write_name", "create_folder", "retried_io_errors", "steps_max", "on_mismatch"};

/// Of a folder that an argument names, so many files are looked at.
constexpr size_t kFilesOfFolderMax = 10'000;

std::string VersionOf(const struct stat& file) {
  return fmt::format("{} bytes of {}.{:09}", file.st_size, file.st_mtim.tv_sec,
                     file.st_mtim.tv_nsec);
}

std::string VersionOfFolder(const std::string& path) {
  std::vector<std::string> lines;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(path, error);
  const std::filesystem::recursive_directory_iterator end;
  for (; !error && entry != end && lines.size() < kFilesOfFolderMax; entry.increment(error)) {
    struct stat found{};
    if (stat(entry->path().c_str(), &found) != 0 || S_ISDIR(found.st_mode)) continue;
    lines.push_back(entry->path().string() + " " + VersionOf(found) + "\n");
  }
  std::ranges::sort(lines);
  Digest digest;
  for (const std::string& line : lines) digest.Add(line);
  return digest.Hex();
}

class IdentityMaker {
 public:
  Status AddPlan(const LogicalPlan& plan) {
    for (const LogicalOp& op : plan.ops) {
      PENSTOCK_RETURN_NOT_OK(std::visit([this, &op](const auto& one) { return Add(op, one); }, op));
    }
    return Status::OK();
  }

  Status AddFiles(std::span<const std::unique_ptr<Source>> sources) {
    std::vector<std::string> paths;
    for (const std::unique_ptr<Source>& source : sources) {
      if (source == nullptr) continue;
      PENSTOCK_TRY(const std::vector<std::string> files, source->Files());
      paths.insert(paths.end(), files.begin(), files.end());
    }
    if (paths.size() <= kNamedInputFilesMax) {
      for (const std::string& path : paths) Put("the file " + path, VersionOfInput(path));
      return Status::OK();
    }
    Digest digest;
    for (const std::string& path : paths) digest.Add(path).Add("\n").Add(VersionOfInput(path));
    Put("the input files", digest.Hex());
    return Status::OK();
  }

  /// Adds a part; one of a name that is taken gets a number. Returns the name.
  std::string Put(const std::string& name, std::string digest) {
    std::string free = name;
    for (int number = 2; job_.identity.contains(free); ++number) {
      free = fmt::format("{} ({})", name, number);
    }
    job_.identity[free] = std::move(digest);
    return free;
  }

  IdentifiedJob Take() { return std::move(job_); }

 private:
  std::string VersionOfInput(const std::string& path) {
    std::string version = VersionOfFile(path);
    if (version.empty()) job_.is_known = false;
    return version;
  }

  Status Add(const LogicalOp& op, const ReadOp& read) {
    if (read.kind == "memory") {
      PENSTOCK_TRY(std::string digest, DigestOfBatches(read.batches));
      Put("the rows in memory", std::move(digest));
    }
    ReadOp copy = read;
    copy.batches.clear();
    copy.file_system.reset();
    copy.splits_at_once.reset();  // Changes no row.
    return AddJson(OpName(op), copy);
  }

  Status Add(const LogicalOp& op, const FunctionsOp& functions) {
    for (const FunctionSpec& function : functions.functions) {
      for (const auto& [part, digest] : function.identity) Put(part, digest);
      if (function.identity.empty()) job_.is_known = false;
      for (const std::string& path : function.files) {
        const std::string part =
            fmt::format("the file {} (an argument of {})", path, function.name);
        job_.files.push_back({Put(part, VersionOfFile(path)), path});
      }
    }
    const WorkerOptions& options = functions.options;
    const WorkerOptions told{.batch_rows = options.batch_rows,
                             .grows_batches = options.grows_batches,
                             .by_length = options.by_length,
                             .errors = {.on_error = options.errors.on_error}};
    Put("the batches of " + OpName(op), DigestOf(WorkerOptionsToJson(told).dump()));
    return Status::OK();
  }

  Status Add(const LogicalOp& op, const NativeOp& native) {
    if (native.version.empty()) {
      return Status::NotImplemented(
          "A job cannot be known again by a C++ function without a version; give it one, or choose "
          "another mode; got: ",
          native.name);
    }
    Put("the C++ function " + native.name, native.version);
    Put("the batches of " + OpName(op), fmt::format("{} {}", native.batch_rows.value_or(0),
                                                    static_cast<int>(native.errors.on_error)));
    return Status::OK();
  }

  Status Add(const LogicalOp& op, const CombineOp& combine) {
    CombineOp copy = combine;
    copy.others.clear();
    PENSTOCK_RETURN_NOT_OK(AddJson(OpName(op), copy));
    for (const auto& other : combine.others) PENSTOCK_RETURN_NOT_OK(AddPlan(*other));
    return Status::OK();
  }

  Status Add(const LogicalOp& op, const WriteOp& write) {
    WriteOp copy = write;
    copy.file_names.reset();
    copy.file_system.reset();
    for (const char* option : kWriteOptionsLeftOut) copy.options.erase(option);
    return AddJson(OpName(op), copy);
  }

  template <typename Other>
  Status Add(const LogicalOp& op, const Other& other) {
    return AddJson(OpName(op), other);
  }

  template <typename Op>
  Status AddJson(const std::string& name, const Op& op) {
    PENSTOCK_TRY(const Json json, PlanToJson(LogicalPlan{{op}}));
    try {
      Put(name, DigestOf(json.dump()));
    } catch (const Json::type_error&) {
      return Status::NotImplemented(
          "A job cannot be known again by text that is not UTF-8; rename the path, or choose "
          "another "
          "mode; got it in ",
          name);
    }
    return Status::OK();
  }

  IdentifiedJob job_;
};

}  // namespace

std::string VersionOfFile(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return "";
  return S_ISDIR(found.st_mode) ? VersionOfFolder(path) : VersionOf(found);
}

Result<IdentifiedJob> Identify(const LogicalPlan& plan,
                               std::span<const std::unique_ptr<Source>> sources,
                               const ReadLimits& limits, bool preserve_order) {
  IdentityMaker maker;
  PENSTOCK_RETURN_NOT_OK(maker.AddPlan(plan));
  PENSTOCK_RETURN_NOT_OK(maker.AddFiles(sources));
  maker.Put("the size of blocks and chunks",
            fmt::format("{} {} {} {}", limits.block_bytes, limits.split_bytes, limits.chunk_rows,
                        limits.chunk_bytes));
  maker.Put("the order of rows", preserve_order ? "kept" : "free");
  return maker.Take();
}

std::string WriteNameOf(const JobIdentity& identity) {
  Digest digest;
  for (const auto& [part, of_part] : identity) digest.Add(part).Add("\n").Add(of_part).Add("\n");
  return digest.Hex();
}

}  // namespace penstock
