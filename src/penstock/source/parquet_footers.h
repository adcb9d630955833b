#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/source/input_files.h"
#include "penstock/source/parquet_footer.h"

namespace penstock {

using FooterPointer = std::shared_ptr<const ParquetFooter>;  // Shared by cache and readers.

/// The footers of a source's files, of which those read last are kept, up to a limit in bytes.
/// Threads: any, at once.
class ParquetFooters {
 public:
  /// `files` must outlive this.
  explicit ParquetFooters(const std::vector<InputFile>& files) : files_(files) {}

  Result<FooterPointer> Get(int64_t file);

  using ColumnNames = std::optional<std::vector<std::string>>;

  /// Reads the footers of `files` (at least one), several at once, and returns what block/unify.h
  /// makes of their schemas; of files other than the first only `columns` count, where they are
  /// given. kSchemaMismatch naming both files, kCorruptData naming the first that is broken.
  Result<std::shared_ptr<arrow::Schema>> UnifySchemas(const ColumnNames& columns,
                                                      const std::vector<int64_t>& files);

 private:
  /// Reads the files' schemas; ends early where one fails. Those equal to the first share it.
  std::vector<Result<std::shared_ptr<arrow::Schema>>> ReadSchemas(
      const std::shared_ptr<arrow::Schema>& first, const std::vector<int64_t>& files);

  /// Returns the first of the files whose own schema does not go with `schema`.
  Result<int64_t> FindOther(const std::shared_ptr<arrow::Schema>& schema,
                            const std::vector<int64_t>& files);

  const std::vector<InputFile>& files_;
  Mutex mutex_;
  std::unordered_map<int64_t, FooterPointer> kept_ PENSTOCK_GUARDED_BY(mutex_);
  std::deque<int64_t> order_ PENSTOCK_GUARDED_BY(mutex_);  // Of kept_, the oldest first.
  int64_t kept_bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;
};

}  // namespace penstock
