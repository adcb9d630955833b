#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/delimiting.h>

#include <cstdint>
#include <memory>

#include "penstock/base/status.h"
#include "penstock/source/input_files.h"

namespace penstock {

inline constexpr int64_t kRowBytesMax = int64_t{1} << 30;

/// Returns how long a row of the file may be at most: kRowBytesMax, or of a compressed file what
/// one value may honestly have.
Result<int64_t> RowBytesMaxOf(const InputFile& file);

/// Cuts a stream of text into pieces that end where a row ends.
///
/// Pieces are about `piece_bytes` long; one with a longer row is as long as that row, up to about
/// `row_bytes_max` (Invalid beyond). Borders depend on the bytes and `piece_bytes` alone. One
/// thread.
class TextRows {
 public:
  TextRows(std::shared_ptr<arrow::io::InputStream> stream, std::unique_ptr<arrow::Chunker> chunker,
           int64_t piece_bytes, int64_t row_bytes_max = kRowBytesMax);

  /// Returns the next row alone, or nullptr at the end.
  Result<std::shared_ptr<arrow::Buffer>> NextRow();

  /// Returns the next rows, or nullptr at the end. The last need not end in a newline.
  Result<std::shared_ptr<arrow::Buffer>> NextPiece();

  /// How many bytes were returned so far.
  int64_t bytes_taken() const { return bytes_taken_; }

 private:
  /// Returns the rows at the start of held_ that are there whole; reads until there is one.
  Result<std::shared_ptr<arrow::Buffer>> WholeRows();
  std::shared_ptr<arrow::Buffer> Take(int64_t bytes);
  Status ReadMore();

  const std::shared_ptr<arrow::io::InputStream> stream_;  // Shared with whoever opened it.
  const std::unique_ptr<arrow::Chunker> chunker_;
  const int64_t piece_bytes_;
  const int64_t row_bytes_max_;
  std::shared_ptr<arrow::Buffer> held_;  // Read but not yet returned; shared with slices of it.
  int64_t bytes_taken_ = 0;
  bool at_end_ = false;
};

/// Says whether the text is nothing but white space.
bool IsBlank(const arrow::Buffer& text);

}  // namespace penstock
