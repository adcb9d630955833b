#pragma once

#include <arrow/table.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fuzzing.h"
#include "penstock/block/unify.h"
#include "penstock/source/source.h"

/// Reads an input as a file, by the reader that users call, whole and cut into ranges.
namespace penstock {

/// A file in memory whose content is replaced again and again; goes with the program.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name) {
    const std::string folder = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    std::string pattern = folder + "/penstock_fuzz_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ / name;
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { std::filesystem::remove_all(folder_); }

  std::string Hold(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    return path_;
  }

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

inline Result<std::shared_ptr<arrow::Table>> ReadTable(const std::string& kind,
                                                       const std::string& path,
                                                       nlohmann::json options, ReadLimits limits) {
  options["paths"] = {path};
  const ReadOp read{.kind = kind, .options = std::move(options)};
  PENSTOCK_TRY(const auto source, MakeSource(read, limits, /*parallelism=*/1));
  PENSTOCK_TRY(auto schema, source->ReadSchema());
  arrow::RecordBatchVector batches;
  for (int64_t next = 0;; ++next) {
    PENSTOCK_TRY(const auto splits, source->NextSplits(1));
    if (splits.empty()) break;
    Require(splits[0].index == next, "splits are numbered in order");
    PENSTOCK_TRY(const auto reader, source->Open(splits[0]));
    while (true) {
      PENSTOCK_TRY(auto batch, reader->Next());
      if (batch == nullptr) break;
      Require(batch->ValidateFull().ok(), "batches are valid");
      PENSTOCK_TRY(schema, UnifySchemas(schema, batch->schema()));
      batches.push_back(std::move(batch));
    }
  }
  for (auto& batch : batches) {
    PENSTOCK_TRY(batch, BringToSchema(batch, schema));
  }
  return arrow::Table::FromRecordBatches(schema, batches);
}

/// Requires that two ways of reading one file yield the same rows, where neither fails.
inline void RequireSameRows(const Result<std::shared_ptr<arrow::Table>>& left,
                            const Result<std::shared_ptr<arrow::Table>>& right) {
  if (!left.ok() || !right.ok()) return;
  Require((*left)->num_rows() == (*right)->num_rows(), "no row is lost or doubled at a cut");
  if (!(*left)->schema()->Equals(*(*right)->schema(), /*check_metadata=*/false)) return;
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  Require((*left)->Equals(**right, options), "rows do not depend on the cuts");
}

}  // namespace penstock
