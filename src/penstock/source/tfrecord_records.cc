#include "penstock/source/tfrecord_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "penstock/base/crc32c.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kSumBytes = 4;
constexpr size_t kHeadBytes = kLengthBytes + kSumBytes;
constexpr uint64_t kRecordBytesMax = (uint64_t{1} << 31) - 1;  // As of every protobuf message.
constexpr int64_t kWindowBytes = int64_t{64} << 10;

uint64_t Little(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return number;
}

/// Returns the length that a record's head tells; nullopt where its checksum denies it.
std::optional<uint64_t> LengthIn(std::string_view head) {
  const std::string_view length = head.substr(0, kLengthBytes);
  if (Little(head.substr(kLengthBytes, kSumBytes)) != MaskedCrc32c(length)) return std::nullopt;
  return Little(length);
}

class RecordCutter final : public TextCutter {
 public:
  RecordCutter(std::shared_ptr<arrow::io::RandomAccessFile> file, const InputFile& input)
      : file_(std::move(file)), path_(input.path), size_(input.bytes) {}

  Result<int64_t> EndOf(int64_t begin, int64_t wanted) override {
    int64_t at = begin;
    while (at < wanted) {
      PENSTOCK_TRY(const std::string_view head, HeadAt(at));
      if (head.size() < kHeadBytes) return size_;
      const auto length = LengthIn(head);
      const auto rest = static_cast<uint64_t>(size_ - at) - kHeadBytes;
      if (!length || rest < kSumBytes || *length > rest - kSumBytes) return size_;
      at += static_cast<int64_t>(kHeadBytes + *length + kSumBytes);
    }
    return at;
  }

  bool scans() const override { return true; }

 private:
  Result<std::string_view> HeadAt(int64_t at) {
    const int64_t held = window_ == nullptr ? 0 : window_->size();
    if (at < window_begin_ || at + static_cast<int64_t>(kHeadBytes) > window_begin_ + held) {
      auto read = file_->ReadAt(at, std::min(kWindowBytes, size_ - at));
      if (!read.ok()) return ReadFailure(read.status(), path_);
      window_ = read.MoveValueUnsafe();
      window_begin_ = at;
    }
    const auto offset = static_cast<size_t>(at - window_begin_);
    return std::string_view(*window_).substr(offset, kHeadBytes);
  }

  const std::shared_ptr<arrow::io::RandomAccessFile> file_;  // As Arrow opens it.
  const std::string path_;
  const int64_t size_;
  std::shared_ptr<arrow::Buffer> window_;  // As Arrow reads it.
  int64_t window_begin_ = 0;
};

}  // namespace

Result<bool> TfrecordReader::Next(std::string* out) {
  place_.byte = bytes_.position();
  head_.clear();
  PENSTOCK_TRY(const uint64_t head_bytes, bytes_.Read(kHeadBytes, &head_));
  if (head_bytes == 0) return false;
  ++place_.record;
  if (head_bytes < kHeadBytes)
    return Corrupt(place_, "the file ends within the length of a record");
  const auto length = LengthIn(head_);
  if (!length) {
    return Corrupt(
        place_,
        "a record's length does not match its checksum: the file is damaged, or it is no TFRecord "
        "file, or it is compressed although its name does not end so");
  }
  const uint64_t left = bytes_.bytes_left_max();
  if (left < kSumBytes || *length > std::min(left - kSumBytes, kRecordBytesMax)) {
    return Corrupt(
        place_,
        fmt::format(
            "a record says that it is longer than the file or any message can be; got: {} bytes",
            *length));
  }
  const size_t begin = out->size();
  PENSTOCK_TRY(const uint64_t came, bytes_.Read(*length + kSumBytes, out));
  if (came < *length + kSumBytes) return Corrupt(place_, "the file ends within a record");
  const auto record = std::string_view(*out).substr(begin);
  if (Little(record.substr(*length)) != MaskedCrc32c(record.substr(0, *length))) {
    return Corrupt(place_, "a record does not match its checksum: the file is damaged");
  }
  out->resize(begin + *length);
  return true;
}

Status TfrecordReader::Corrupt(const Place& place, const std::string& reason) const {
  return MakeError(ErrorKind::kCorruptData, fmt::format("{}: {}", TextOf(place), reason));
}

std::string TfrecordReader::TextOf(const Place& place) const {
  const std::string piece =
      begin_ == 0 ? "" : fmt::format(" of the piece that begins at byte {}", begin_);
  return fmt::format("{}: record {}{}", bytes_.TextOf(place.byte), place.record, piece);
}

std::unique_ptr<TextCutter> CutBetweenRecords(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                              const InputFile& input) {
  return std::make_unique<RecordCutter>(std::move(file), input);
}

}  // namespace penstock
