#pragma once

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/source/input_files.h"
#include "penstock/source/text_range.h"

namespace penstock {

/// Reads a file, or a range of it, front to back, decompressed on the way. For formats that say
/// how long what follows is: never takes memory for bytes that did not come. One thread.
class ByteStream {
 public:
  /// Opens all of a file, or its bytes [begin, end) exactly, which only one that is not compressed
  /// has.
  static Result<ByteStream> Open(const InputFile& file, const TextRange& range);

  /// Appends the next `bytes` bytes to `out`; returns how many came: fewer at the end alone.
  Result<uint64_t> Read(uint64_t bytes, std::string* out);

  /// Passes over the next `bytes` bytes; returns how many there were.
  Result<uint64_t> Skip(uint64_t bytes);

  /// Where in the file, as it is when decompressed, the next byte lies.
  uint64_t position() const { return position_; }

  /// How many bytes can follow at most. Of a compressed file: what one value may honestly have.
  uint64_t bytes_left_max() const;

  /// Says where a byte lies: "a.tar, at byte 512".
  std::string TextOf(uint64_t position) const;

 private:
  ByteStream() = default;

  std::string path_;
  bool compressed_ = false;
  std::shared_ptr<arrow::io::InputStream> stream_;  // Shared with nobody; as Arrow makes it.
  uint64_t position_ = 0;
  uint64_t end_ = 0;  // Of a compressed file: see bytes_left_max.
  std::string passed_over_;
};

}  // namespace penstock
