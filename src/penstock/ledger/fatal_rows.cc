#include "penstock/ledger/fatal_rows.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "penstock/ledger/digest.h"
#include "penstock/ledger/small_file.h"

namespace penstock {
namespace {

using Json = nlohmann::json;
namespace files = std::filesystem;

constexpr int kVersion = 1;

Json ToJson(const FatalRow& row) {
  Json origin = Json::array();
  for (const RowRange& range : row.origin) {
    origin.push_back({range.split, range.first_row, range.rows});
  }
  return {{"version", kVersion},      {"conditions", row.conditions},
          {"stage", row.stage},       {"chunk", row.chunk},
          {"origin", origin},         {"content", row.content},
          {"attempts", row.attempts}, {"cause", row.cause},
          {"message", row.message},   {"traceback", row.traceback}};
}

FatalRow FromJson(const Json& json) {
  FatalRow row{.conditions = json.at("conditions"),
               .stage = json.at("stage"),
               .chunk = json.at("chunk"),
               .content = json.at("content"),
               .attempts = json.at("attempts"),
               .cause = json.at("cause"),
               .message = json.at("message"),
               .traceback = json.at("traceback")};
  for (const Json& range : json.at("origin")) {
    row.origin.push_back({.split = range.at(0), .first_row = range.at(1), .rows = range.at(2)});
  }
  return row;
}

/// Returns the bytes of the row's file. What a worker said at its end may be no text.
std::string TextOf(const FatalRow& row) {
  return WithChecksum(ToJson(row).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<FatalRow> ReadRow(const std::string& path) {
  PENSTOCK_TRY(const std::string text, ReadSmallFile(path));
  PENSTOCK_TRY(const std::string body, CheckedBody(text));
  try {
    const Json json = Json::parse(body);
    if (json.at("version") != kVersion) return Status::NotImplemented("of another version");
    return FromJson(json);
  } catch (const std::exception& error) {
    return Status::Invalid(error.what());
  }
}

/// The same for the same row of the same job, whichever run finds it.
std::string NameOf(const FatalRow& row) {
  Digest digest;
  digest.Add(row.conditions).Add(row.content).Add(fmt::format("{} {}", row.stage, row.chunk));
  for (const RowRange& range : row.origin) {
    digest.Add(fmt::format(" {} {} {}", range.split, range.first_row, range.rows));
  }
  return digest.Hex() + ".json";
}

}  // namespace

void FatalRows::Load(const ChunkSet& done) {
  MutexLock lock(mutex_);
  committed_ = done;
  std::error_code error;
  std::vector<std::string> names;
  files::directory_iterator entry(folder_, error);
  for (; !error && entry != files::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  for (const std::string& name : names) {
    const Result<FatalRow> row = ReadRow(fmt::format("{}/{}", folder_, name));
    const bool is_wanted = row.ok() && name == NameOf(*row) && !done.Contains(row->chunk) &&
                           entries_.size() < kRowsMax;
    if (!is_wanted) {
      Remove(name);
      continue;
    }
    entries_.push_back({name, row->chunk});
    of_earlier_runs_.push_back(*row);
  }
}

Status FatalRows::Put(const FatalRow& row) {
  MutexLock lock(mutex_);
  if (is_over_ || committed_.Contains(row.chunk) || entries_.size() >= kRowsMax) {
    return Status::OK();
  }
  const std::string name = NameOf(row);
  if (std::ranges::find(entries_, name, &Entry::name) != entries_.end()) return Status::OK();
  PENSTOCK_RETURN_NOT_OK(MakeFolder(folder_));
  PENSTOCK_RETURN_NOT_OK(PutSmallFile(folder_, name, TextOf(row), random_()).status());
  entries_.push_back({name, row.chunk});
  return Status::OK();
}

void FatalRows::Forget(const std::vector<ChunkRange>& chunks) {
  MutexLock lock(mutex_);
  for (const ChunkRange& range : chunks) committed_.Add(range);
  std::vector<Entry> left;
  for (Entry& entry : entries_) {
    if (committed_.Contains(entry.chunk)) {
      Remove(entry.name);
    } else {
      left.push_back(std::move(entry));
    }
  }
  entries_ = std::move(left);
}

void FatalRows::Clear() {
  MutexLock lock(mutex_);
  is_over_ = true;
  entries_.clear();
  std::error_code ignored;
  if (files::exists(folder_, ignored)) files::remove_all(folder_, ignored);
}

bool FatalRows::has_some() const {
  MutexLock lock(mutex_);
  return !entries_.empty();
}

void FatalRows::Remove(const std::string& name) { unlink((folder_ + "/" + name).c_str()); }

}  // namespace penstock
