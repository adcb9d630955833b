#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/source/byte_stream.h"
#include "penstock/source/text_range.h"

namespace penstock {

/// Reads the records of a TFRecord file: each is its length (64 bits, little endian), the masked
/// CRC-32C of these 8 bytes, its data, and the masked CRC-32C of the data. One thread.
class TfrecordReader {
 public:
  explicit TfrecordReader(ByteStream bytes) : bytes_(std::move(bytes)), begin_(bytes_.position()) {}

  /// Appends the next record's data to `out`; returns false at the end. kCorruptData naming file,
  /// byte and record for a checksum that does not match, and for a record that is cut off or says
  /// that it is longer than the file.
  Result<bool> Next(std::string* out);

  /// The record that came last: its number from 1, and the byte at which it begins.
  struct Place {
    int64_t record = 0;
    uint64_t byte = 0;
  };
  const Place& place() const { return place_; }

  /// Returns kCorruptData: what is wrong with a record.
  Status Corrupt(const Place& place, const std::string& reason) const;

  /// Says where a record lies: "a.tfrecords, at byte 24: record 2".
  std::string TextOf(const Place& place) const;

 private:
  ByteStream bytes_;
  const uint64_t begin_;
  Place place_;
  std::string head_;
};

/// Cuts a file between records, by their lengths. What is damaged stays with what is before it, for
/// the reader to name.
std::unique_ptr<TextCutter> CutBetweenRecords(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                              const InputFile& input);

}  // namespace penstock
