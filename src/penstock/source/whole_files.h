#pragma once

#include <arrow/buffer.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"
#include "penstock/source/file_columns.h"
#include "penstock/source/input_files.h"
#include "penstock/source/source.h"

namespace penstock {

/// Collects rows of files that are read whole. One thread.
class FileRows {
 public:
  virtual ~FileRows() = default;

  /// Appends the rows of a file. Errors need not name it, unless they have an ErrorDetail; what
  /// has none becomes kCorruptData. Nothing may be added after an error.
  virtual Status Add(const std::string& path, const std::shared_ptr<arrow::Buffer>& bytes) = 0;

  /// What was added since the last Take.
  virtual int64_t rows() const = 0;
  virtual int64_t bytes() const = 0;

  /// Returns the rows added so far, of the schema that they were made for, and forgets them.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Take() = 0;
};

/// A format whose files are read whole. Threads: any, at once.
class FileFormat {
 public:
  /// Yields the files in the order of their listing, the first of which is there; nothing at the
  /// end.
  using NextFile = std::function<Result<std::optional<InputFile>>()>;

  virtual ~FileFormat() = default;

  /// Which files of a folder are meant where the user says nothing; empty: all.
  virtual std::vector<std::string> extensions() const { return {}; }

  virtual bool one_row_per_file() const { return true; }

  /// How many files one split may have: as many as take about a tenth of a second.
  virtual int64_t files_per_split_max() const { return 256; }

  /// Larger files are refused.
  virtual int64_t file_bytes_max() const { return std::numeric_limits<int64_t>::max(); }

  /// Estimates the rows' bytes in memory; -1: not known.
  virtual int64_t RowBytes(const InputFile& file) const { return file.bytes; }

  /// Returns the columns; may look into the first file, or a few.
  virtual Result<std::shared_ptr<arrow::Schema>> ReadSchema(const NextFile& next) const = 0;

  virtual std::unique_ptr<FileRows> MakeRows(
      const std::shared_ptr<arrow::Schema>& schema) const = 0;
};

/// What every reader of whole files lets the user say.
struct WholeFileOptions {
  FileOptions files;
  FileColumns columns;                  // Without partitions: no file is listed yet.
  std::optional<int64_t> shuffle_seed;  // Reads the files in an order that is drawn from it.
};

/// Reads what ReadFileOptions does, "partitioning" (see file_columns.h) and "shuffle_seed".
Result<WholeFileOptions> ReadWholeFileOptions(OptionReader& options, const ReadOp& read_op);

/// Makes a source of such files, in the order of their listing, which goes on while they are read.
///
/// Consecutive files make a split: one at first, so that rows come soon and few files occupy all
/// processors, then more and more, as long as they are small. `read.splits` asks for as many splits
/// of even counts instead; then, to shuffle, and to know the partitions, all files are listed
/// first. Where a format has one row per file, rows are counted without opening any.
std::unique_ptr<Source> MakeWholeFileSource(std::unique_ptr<FileFormat> format,
                                            WholeFileOptions options, const ReadOp& read,
                                            const ReadLimits& limits);

}  // namespace penstock
