#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/input_files.h"
#include "penstock/source/source.h"

namespace penstock {

/// What a text file is parsed into.
struct ParseTarget {
  std::shared_ptr<arrow::Schema> all;     // What the file must hold, types given; null: infer.
  std::shared_ptr<arrow::Schema> wanted;  // The columns of `all` to parse; null with `all`.
  std::string schema_origin;              // The file that `all` was taken from, for errors.
  int64_t piece_bytes = 0;                // How much text is parsed at once.
};

/// Parses one file front to back. One thread.
class TextParser {
 public:
  virtual ~TextParser() = default;

  /// Returns the next rows, at least one; nullptr at the end. Errors name file and row: a value
  /// or a column that does not fit the target is kSchemaMismatch, broken text kCorruptData.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;

  /// Returns the columns' names where they are known without a row; valid after Next.
  virtual std::shared_ptr<arrow::Schema> header() const { return nullptr; }
};

/// A kind of text file. Threads: any, at once.
class TextFormat {
 public:
  virtual ~TextFormat() = default;
  virtual Result<std::unique_ptr<TextParser>> Open(const InputFile& file,
                                                   ParseTarget target) const = 0;
};

/// Makes a source that reads each file as one split. All files have the columns that the first
/// rows of the first file show; a column that holds nothing there takes its type from the first of
/// the next 16 files that has a value.
std::unique_ptr<Source> MakeTextSource(std::unique_ptr<TextFormat> format,
                                       std::vector<InputFile> files, bool include_paths,
                                       const ReadOp& read, const ReadLimits& limits);

/// Returns the number that follows `label` in an error text of Arrow's, e.g. "Row #".
std::optional<int64_t> NumberAfter(const std::string& text, const std::string& label);

}  // namespace penstock
