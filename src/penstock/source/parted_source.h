#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/file_columns.h"
#include "penstock/source/input_files.h"
#include "penstock/source/source.h"

namespace penstock {

/// An open file that consists of parts, each of which can be read alone. One thread.
class PartedFile {
 public:
  virtual ~PartedFile() = default;

  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual int64_t parts() const = 0;

  /// How many rows a part has, and what bytes they take in memory; -1: not known.
  virtual int64_t rows(int64_t part) const = 0;
  virtual int64_t bytes(int64_t part) const = 0;

  /// Counts the rows of all parts, without reading them where the format allows it.
  virtual Result<int64_t> CountRows() = 0;

  /// Reads these columns of `schema()`, rising, of a part; at least one. The file must outlive the
  /// reader. Errors need not name the file. Nothing of what is read may be trusted less than what
  /// Arrow itself makes, nor unpack to much more at once than the file's size lets one expect.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      int64_t part, const std::vector<int>& columns) = 0;
};

/// A format of such files. Threads: any, at once.
class PartedFormat {
 public:
  virtual ~PartedFormat() = default;
  virtual Result<std::unique_ptr<PartedFile>> Open(const InputFile& file) const = 0;

  /// What errors and splits call a part: "stripe".
  virtual const char* part_name() const = 0;
};

/// Makes a source with a split for each part. All files are read as one schema, as block/unify.h
/// says, so that all are opened before the first row; kSchemaMismatch names both files where no
/// type holds both.
Result<std::unique_ptr<Source>> MakePartedSource(std::unique_ptr<PartedFormat> format,
                                                 std::vector<InputFile> files,
                                                 FileColumns file_columns, const ReadOp& read,
                                                 const ReadLimits& limits);

}  // namespace penstock
