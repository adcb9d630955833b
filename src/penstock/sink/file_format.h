#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

/// Where a file stands among those of one write: in which part, and as the how-many-th of it.
struct FilePlace {
  int64_t part = 0;
  int64_t file = 0;
};

/// Writes the batches of one file in its format. One thread at a time.
class FileWriter {
 public:
  virtual ~FileWriter() = default;

  /// Writes a batch of the schema that the file was opened for, or of any where rows stand alone.
  /// Errors name the column, or what else is wrong; the caller adds the file.
  virtual Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;

  /// Writes what ends the file. Returns what is to replace the file's first bytes, for formats
  /// that write down at the beginning what is known at the end; mostly nothing.
  virtual Result<std::string> Finish() = 0;
};

/// What one file format does; all else is FileSink's (file_sink.h). What is written depends on the
/// batches and the options alone. Immutable; threads: any.
class FileFormat {
 public:
  virtual ~FileFormat() = default;

  /// With its dot, such as ".csv".
  virtual std::string extension() const = 0;

  /// What a whole file is compressed with; its names then end in that codec's suffix too.
  virtual arrow::Compression::type stream_compression() const {
    return arrow::Compression::UNCOMPRESSED;
  }

  /// Whether each row is a file of its own.
  virtual bool file_per_row() const { return false; }

  /// Whether rows need have nothing in common: then a file takes batches of any schema that passes,
  /// and so may other files.
  virtual bool rows_stand_alone() const { return file_per_row(); }

  /// Whether a file may be without columns: then a write of no rows leaves one even where nobody
  /// knows what columns they would have, so that the folder reads back as no rows.
  virtual bool holds_no_columns() const { return false; }

  /// Refuses a schema that the format cannot hold: Invalid naming the column.
  virtual Status CheckSchema(const arrow::Schema& schema) const = 0;

  /// The schema that a file is opened with so that it can take this batch, whose schema passed, and
  /// be read back. Differs from the batch's own in types alone; a file takes batches with either.
  virtual std::shared_ptr<arrow::Schema> FileSchema(const arrow::RecordBatch& batch) const {
    return batch.schema();
  }

  virtual Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                                   std::shared_ptr<arrow::Schema> schema,
                                                   FilePlace place) const = 0;
};

/// Reads the option "compression" of formats whose files are compressed as a whole: "none",
/// "gzip", "zstd", "bz2" or "lz4"; none when absent.
Result<arrow::Compression::type> ReadStreamCompression(OptionReader& options);

/// Returns the suffix of file names for a codec that ReadStreamCompression yields: ".gz", or "".
std::string CompressionSuffix(arrow::Compression::type compression);

}  // namespace penstock
