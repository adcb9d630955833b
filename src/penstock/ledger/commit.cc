#include "penstock/ledger/commit.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "penstock/base/error.h"
#include "penstock/ledger/small_file.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 2;
constexpr int kOldestVersion = 1;  // Knows neither `write` nor `taken`.
constexpr std::array<const char*, 4> kKindNames{"begin", "chunks", "end", "retry"};

Json RangesToJson(const std::vector<ChunkRange>& ranges) {
  Json json = Json::array();
  for (const ChunkRange& range : ranges) json.push_back({range.first, range.last});
  return json;
}

std::vector<ChunkRange> RangesFromJson(const Json& json) {
  std::vector<ChunkRange> ranges;
  for (const Json& range : json) {
    ranges.push_back({range.at(0).get<int64_t>(), range.at(1).get<int64_t>()});
  }
  return ranges;
}

Json FileToJson(const PartFile& file) {
  return {{"name", file.name},
          {"temporary", file.temporary_name},
          {"rows", file.rows},
          {"bytes", file.bytes},
          {"crc32c", file.crc32c}};
}

PartFile FileFromJson(const Json& json) {
  return {.name = json.at("name"),
          .temporary_name = json.at("temporary"),
          .rows = json.at("rows"),
          .bytes = json.at("bytes"),
          .crc32c = json.at("crc32c")};
}

Json FilesToJson(const std::vector<PartFile>& files) {
  Json json = Json::array();
  for (const PartFile& file : files) json.push_back(FileToJson(file));
  return json;
}

std::vector<PartFile> FilesFromJson(const Json& json) {
  std::vector<PartFile> files;
  for (const Json& file : json) files.push_back(FileFromJson(file));
  return files;
}

Json RowsToJson(const RowCounts& rows) {
  const Json filtered = rows.filtered ? Json(*rows.filtered) : Json();
  return {{"in", rows.in}, {"out", rows.out}, {"dead", rows.dead}, {"filtered", filtered}};
}

RowCounts RowsFromJson(const Json& json) {
  RowCounts rows{.in = json.at("in"), .out = json.at("out"), .dead = json.at("dead")};
  const Json filtered = json.value("filtered", Json());  // Older versions did not count them.
  rows.filtered = filtered.is_null() ? std::nullopt : std::optional(filtered.get<int64_t>());
  return rows;
}

Json ToJson(const Commit& commit) {
  return {{"version", kVersion},
          {"kind", kKindNames.at(static_cast<size_t>(commit.kind))},
          {"number", commit.number},
          {"epoch", commit.epoch},
          {"writer", commit.writer},
          {"identity", commit.identity},
          {"write", commit.write},
          {"chunks", RangesToJson(commit.chunks)},
          {"files", FilesToJson(commit.files)},
          {"letters", FilesToJson(commit.letters)},
          {"taken", FilesToJson(commit.taken)},
          {"done", RangesToJson(commit.done.Ranges())},
          {"rows", RowsToJson(commit.rows)},
          {"files_done", commit.files_done},
          {"ignored", commit.ignored},
          {"last_begin", commit.last_begin},
          {"published", commit.published}};
}

CommitKind KindOf(const std::string& name) {
  for (size_t kind = 0; kind < kKindNames.size(); ++kind) {
    if (name == kKindNames[kind]) return static_cast<CommitKind>(kind);
  }
  throw std::invalid_argument("unknown kind of commit: " + name);
}

Commit FromJson(const Json& json) {
  return Commit{.kind = KindOf(json.at("kind")),
                .number = json.at("number"),
                .epoch = json.at("epoch"),
                .writer = json.at("writer"),
                .identity = json.at("identity"),
                .write = json.value("write", ""),
                .chunks = RangesFromJson(json.at("chunks")),
                .files = FilesFromJson(json.at("files")),
                .letters = FilesFromJson(json.at("letters")),
                .taken = FilesFromJson(json.value("taken", Json::array())),
                .done = ChunkSet(RangesFromJson(json.at("done"))),
                .rows = RowsFromJson(json.at("rows")),
                .files_done = json.at("files_done"),
                .ignored = json.at("ignored"),
                .last_begin = json.at("last_begin"),
                .published = json.at("published")};
}

Status Corrupt(const std::string& path, const std::string& why) {
  return MakeError(
      ErrorKind::kCorruptData,
      fmt::format("An entry of a job's ledger is damaged ({}): write elsewhere, or begin anew with "
                  "on_mismatch=\"restart\"; got: {}",
                  why, path));
}

}  // namespace

Result<std::string> CommitText(const Commit& commit) {
  try {
    return WithChecksum(ToJson(commit).dump());
  } catch (const Json::type_error& error) {
    return Status::Invalid("A file's name must be valid UTF-8 to be in a ledger: ", error.what());
  }
}

Result<Commit> ReadCommit(const std::string& text, const std::string& path) {
  const Result<std::string> body = CheckedBody(text);
  if (!body.ok()) return Corrupt(path, body.status().message());
  try {
    const Json json = Json::parse(*body);
    if (json.at("version") < kOldestVersion || json.at("version") > kVersion) {
      return Status::NotImplemented("A ledger of another version of Penstock (",
                                    json.at("version").dump(),
                                    "); go on with that one, or write elsewhere; got: ", path);
    }
    return FromJson(json);
  } catch (const std::exception& error) {
    return Corrupt(path, error.what());
  }
}

}  // namespace penstock
