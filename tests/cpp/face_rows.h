#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "penstock/penstock.h"

namespace penstock {

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// Runs the data set and returns a column of int64.
inline std::vector<int64_t> Values(const Dataset& dataset, int column = 0,
                                   const RunOptions& run = {}) {
  std::vector<int64_t> values;
  const arrow::Status status = dataset.ForEach(
      [&](const Batch& batch) {
        const auto& array = dynamic_cast<const arrow::Int64Array&>(*batch->column(column));
        for (int64_t row = 0; row < array.length(); ++row) values.push_back(array.Value(row));
        return arrow::Status::OK();
      },
      run);
  EXPECT_TRUE(status.ok()) << status;
  return values;
}

/// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "penstockXXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace penstock
