#pragma once

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/source/input_files.h"

namespace penstock {

/// The part of a text file that one split reads: the rows that begin in its bytes [begin, end).
/// So each row is read once, wherever the borders lie.
struct TextRange {
  int64_t begin = 0;
  int64_t end = -1;  // -1: the file is read whole, front to back.

  bool whole() const { return end < 0; }
};

/// Chooses where a file is cut into ranges, front to back. One thread.
class TextCutter {
 public:
  virtual ~TextCutter() = default;

  /// Returns where the range that begins at `begin` ends: at `wanted`, or near it.
  virtual Result<int64_t> EndOf(int64_t begin, int64_t wanted) = 0;

  /// Whether EndOf reads the file.
  virtual bool scans() const = 0;
};

/// Cuts anywhere: for files in which each newline ends a row.
std::unique_ptr<TextCutter> CutAnywhere();

/// Returns the first place from `position` on where a row begins: after \n, \r\n or a lone \r; the
/// file's size where none does. Looks no further than `stop`, and returns it then.
Result<int64_t> FirstRowAt(arrow::io::RandomAccessFile& file, int64_t position, int64_t stop);

/// A range's rows as a stream, and the byte of the file at which it begins.
struct RangeStream {
  std::shared_ptr<arrow::io::InputStream> stream;
  int64_t begin = 0;
};

/// Opens the rows that begin in the range, but not before `floor`.
Result<RangeStream> OpenRange(const std::shared_ptr<arrow::io::RandomAccessFile>& file,
                              const TextRange& range, int64_t floor = 0);

/// Says for errors where a row lies: rows are counted from the file's start, or where that is not
/// known from the byte at which the range begins.
class TextPlace {
 public:
  explicit TextPlace(std::string path, int64_t first_byte = 0)
      : path_(std::move(path)), first_byte_(first_byte) {}

  const std::string& path() const { return path_; }
  std::string AtRow(int64_t row) const;    // "a.csv, data row 3"; rows count from 1.
  std::string FromRow(int64_t row) const;  // "a.csv, from data row 3 on".

 private:
  std::string path_;
  int64_t first_byte_ = 0;
};

}  // namespace penstock
