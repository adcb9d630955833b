#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

inline constexpr const char* kSampleKey = "__key__";
inline constexpr const char* kSampleArchive = "__url__";

/// Collects samples as columns: the key, a column of binary for each suffix in the order in which
/// they come first, and the archive. What a sample lacks is null. One thread.
class WebdatasetRows {
 public:
  static constexpr size_t kColumnsMax = 10'000;

  /// What rows without any file have.
  static std::shared_ptr<arrow::Schema> EmptySchema();

  Status Begin(std::string_view key);

  /// Adds a file to the sample that began last, which must not have the suffix yet. Invalid for
  /// more columns than kColumnsMax.
  Status Add(const std::string& suffix, std::string_view data);

  int64_t rows() const { return keys_.length(); }
  int64_t bytes() const { return bytes_; }

  /// Returns all that was added; the object is used up.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish(const std::string& archive);

 private:
  struct Column {
    std::string suffix;
    std::unique_ptr<arrow::BinaryBuilder> values;
  };

  arrow::StringBuilder keys_;
  std::vector<Column> columns_;
  std::unordered_map<std::string, size_t> places_;
  int64_t bytes_ = 0;
};

}  // namespace penstock
