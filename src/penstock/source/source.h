#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/rules.h"

namespace penstock {

/// A piece of the input that can be read alone and named for ever.
struct Split {
  int64_t index = 0;   // Position in the ordered input.
  std::string name;    // "data/a.parquet, row group 3": for errors, dead letters, the ledger.
  int64_t chunk = 0;   // The unit of commit that it belongs to; consecutive splits share one.
  int64_t rows = -1;   // -1: not known before reading.
  int64_t bytes = -1;  // Estimated bytes in memory; -1: not known.
  int64_t item = 0;    // The reader's own: which file, row group or slice,
  int64_t begin = 0;   // and where in it.
  int64_t end = 0;
};

/// Reads one split, block by block. One thread at a time; may be moved between threads.
class SplitReader {
 public:
  virtual ~SplitReader() = default;

  /// Returns the next rows, at most about `ReadLimits::block_bytes` of them, or nullptr at the
  /// end. Block borders depend on the input and the options alone. A split without rows yields
  /// one batch of no rows, so that its schema is known. kCorruptData or kSchemaMismatch, naming
  /// the file and which rows or row group of it; nothing may be read after an error.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

/// How large blocks and chunks may get; part of a job's identity, since borders follow from it.
struct ReadLimits {
  int64_t block_bytes = int64_t{16} << 20;
  int64_t split_bytes = int64_t{16} << 20;  // Of a file that can be cut anywhere.
  int64_t chunk_rows = 1'000'000;
  int64_t chunk_bytes = int64_t{256} << 20;
};

/// A data set that can be listed as splits and read split by split.
///
/// Threads: NextSplits is called by one thread at a time; Open by any, at once.
class Source {
 public:
  virtual ~Source() = default;

  /// Returns some more splits in order, at most `count_max`; none at the end of the input. They
  /// are numbered and grouped into chunks (see chunks.h), however they are asked for.
  /// kMissingPath, kCorruptData or kSchemaMismatch, naming the file.
  virtual Result<std::vector<Split>> NextSplits(int64_t count_max) = 0;

  virtual Result<std::unique_ptr<SplitReader>> Open(const Split& split) = 0;

  /// Returns the schema of what Open's readers yield, pushed-down columns respected. May look
  /// into the files. Readers of text know only what the first rows show: later blocks may have
  /// wider types and, where no columns were pushed down, more columns (see text_source.h).
  virtual Result<std::shared_ptr<arrow::Schema>> ReadSchema() = 0;

  /// Returns the number of rows where it follows from metadata alone (no filter, no limit).
  virtual Result<std::optional<int64_t>> CountRows() = 0;

  /// Returns the files that are read, sorted as they are read; none for generated data.
  virtual Result<std::vector<std::string>> Files() = 0;
};

/// Makes the reader that `read.kind` names (source/registry.cc lists them). Invalid for an unknown
/// kind or a bad option, naming it.
Result<std::unique_ptr<Source>> MakeSource(const ReadOp& read, const ReadLimits& limits,
                                           int parallelism);

/// Returns what the rewrite rules may push into readers of this kind.
ReaderTraits ReaderTraitsOf(const std::string& kind);

}  // namespace penstock
