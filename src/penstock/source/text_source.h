#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/unify.h"
#include "penstock/source/file_columns.h"
#include "penstock/source/input_files.h"
#include "penstock/source/source.h"
#include "penstock/source/text_range.h"

namespace penstock {

/// What a text file is parsed into.
struct ParseTarget {
  std::shared_ptr<arrow::Schema> wanted;  // The columns to expect; null: infer all.
  bool only_wanted = false;               // Leave out other columns of the file.
  std::string schema_origin;              // The file that `wanted` was taken from, for errors.
  int64_t piece_bytes = 0;                // How much text is parsed at once.
};

/// Parses one range of a file front to back. One thread.
class TextParser {
 public:
  virtual ~TextParser() = default;

  /// Returns the next rows, at least one; nullptr at the end. Batches have the wanted columns, null
  /// where the file lacks one, then the others. Types are wider than wanted where values need it.
  ///
  /// Errors name file and row: a value that fits no type which holds the wanted one is
  /// kSchemaMismatch, broken text kCorruptData.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;

  /// Returns the columns' names where they are known without a row; valid after Next.
  virtual std::shared_ptr<arrow::Schema> header() const { return nullptr; }
};

/// A kind of file whose rows come front to back: text, or records. Threads: any, at once.
class TextFormat {
 public:
  virtual ~TextFormat() = default;

  /// Opens the range; nothing is read before Next.
  virtual Result<std::unique_ptr<TextParser>> Open(const InputFile& file, const TextRange& range,
                                                   ParseTarget target) const = 0;

  /// Says how to cut a file that is not compressed; nullptr: it must stay whole.
  virtual Result<std::unique_ptr<TextCutter>> Cutter(const InputFile& file) const = 0;

  /// Returns the columns where they do not depend on the files; else nullptr.
  virtual std::shared_ptr<arrow::Schema> fixed_schema() const { return nullptr; }

  /// Returns the columns that hold those of two files; UnifySchemas, or what widens more than it.
  virtual Result<std::shared_ptr<arrow::Schema>> Unify(
      const std::shared_ptr<arrow::Schema>& first,
      const std::shared_ptr<arrow::Schema>& other) const {
    return UnifySchemas(first, other);
  }

  /// The option in which the user can name types, for errors.
  virtual const char* types_option() const { return "column_types"; }
};

/// Makes a source of text files. One longer than `limits.split_bytes` is read as several splits
/// where its format can be cut; their borders follow from the file, its size and the options.
///
/// The schema is what block/unify.h makes of the first rows of the first 16 files; kSchemaMismatch,
/// naming both files, where no type holds both. What comes later is promoted as it comes: where
/// a value needs a wider type or a file has more columns, the blocks from there to the end of the
/// split have them, and those before do not.
Result<std::unique_ptr<Source>> MakeTextSource(std::unique_ptr<TextFormat> format,
                                               std::vector<InputFile> files,
                                               FileColumns file_columns, const ReadOp& read,
                                               const ReadLimits& limits);

/// Returns the number that follows `label` in an error text of Arrow's, e.g. "Row #".
std::optional<int64_t> NumberAfter(const std::string& text, const std::string& label);

}  // namespace penstock
