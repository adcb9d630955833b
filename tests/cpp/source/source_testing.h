#pragma once

#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/block/unify.h"
#include "penstock/source/source.h"

namespace penstock::testing {

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "penstock_test_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

  /// Writes a file with the folders above it; returns its path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path file = path(name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

 private:
  std::string path_;
};

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline ReadOp ReadOf(std::string kind, std::vector<std::string> paths,
                     nlohmann::json options = nlohmann::json::object()) {
  options["paths"] = std::move(paths);
  return {.kind = std::move(kind), .options = std::move(options)};
}

inline Result<std::vector<Split>> AllSplits(Source& source, int64_t count_max = 1000) {
  std::vector<Split> all;
  while (true) {
    PENSTOCK_TRY(auto more, source.NextSplits(count_max));
    if (more.empty()) return all;
    all.insert(all.end(), more.begin(), more.end());
  }
}

inline Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ReadSplit(Source& source,
                                                                          const Split& split) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  PENSTOCK_TRY(const auto reader, source.Open(split));
  while (true) {
    PENSTOCK_TRY(auto batch, reader->Next());
    if (batch == nullptr) return batches;
    PENSTOCK_RETURN_NOT_OK(batch->ValidateFull());
    batches.push_back(std::move(batch));
  }
}

/// Reads all splits in order; blocks that differ are unified, as the engine does.
inline Result<std::shared_ptr<arrow::Table>> ReadAll(const ReadOp& read, ReadLimits limits = {}) {
  PENSTOCK_TRY(const auto source, MakeSource(read, limits, /*parallelism=*/2));
  PENSTOCK_TRY(const auto splits, AllSplits(*source));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const Split& split : splits) {
    PENSTOCK_TRY(auto more, ReadSplit(*source, split));
    batches.insert(batches.end(), more.begin(), more.end());
  }
  PENSTOCK_TRY(auto schema, source->ReadSchema());
  for (const auto& batch : batches) {
    PENSTOCK_TRY(schema, UnifySchemas(schema, batch->schema()));
  }
  for (auto& batch : batches) {
    PENSTOCK_TRY(batch, BringToSchema(batch, schema));
  }
  PENSTOCK_TRY(const auto table, arrow::Table::FromRecordBatches(schema, batches));
  return table->CombineChunks();
}

inline std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                            const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline std::shared_ptr<arrow::Table> TableOf(
    const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

inline void ExpectTable(const Result<std::shared_ptr<arrow::Table>>& result,
                        const std::shared_ptr<arrow::Table>& wanted) {
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_TRUE((*result)->Equals(*wanted, /*check_metadata=*/false))
      << (*result)->ToString() << "\nwanted:\n"
      << wanted->ToString();
}

/// Expects an error of the kind whose message holds all the texts.
inline void ExpectError(const Status& status, ErrorKind kind,
                        const std::vector<std::string>& texts) {
  ASSERT_FALSE(status.ok());
  const ErrorDetail* detail = DetailOf(status);
  ASSERT_NE(detail, nullptr) << status.ToString();
  EXPECT_EQ(detail->kind(), kind) << status.ToString();
  for (const std::string& text : texts) {
    EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
  }
}

}  // namespace penstock::testing
