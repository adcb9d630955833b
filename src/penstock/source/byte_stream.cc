#include "penstock/source/byte_stream.h"

#include <arrow/io/buffered.h>
#include <arrow/memory_pool.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace penstock {
namespace {

constexpr int64_t kBufferBytes = int64_t{256} << 10;
constexpr uint64_t kStepBytes = uint64_t{1} << 20;
constexpr uint64_t kUnknown = std::numeric_limits<int64_t>::max();

}  // namespace

Result<ByteStream> ByteStream::Open(const InputFile& file, const TextRange& range) {
  ByteStream bytes;
  bytes.path_ = file.path;
  bytes.compressed_ = IsCompressed(file);
  std::shared_ptr<arrow::io::InputStream> stream;
  if (range.whole()) {
    PENSTOCK_TRY(stream, OpenStream(file));
    PENSTOCK_TRY(const auto info, file.file_system->GetFileInfo(file.location));
    bytes.end_ = info.size() < 0 ? kUnknown : static_cast<uint64_t>(info.size());
    if (bytes.compressed_) {
      bytes.end_ = static_cast<uint64_t>(DecompressedBytesMax(info.size()));
    }
  } else {
    PENSTOCK_TRY(const auto opened, OpenFile(file));
    PENSTOCK_TRY(stream, arrow::io::RandomAccessFile::GetStream(opened, range.begin,
                                                                range.end - range.begin));
    bytes.position_ = static_cast<uint64_t>(range.begin);
    bytes.end_ = static_cast<uint64_t>(range.end);
  }
  PENSTOCK_TRY(bytes.stream_, arrow::io::BufferedInputStream::Create(
                                  kBufferBytes, arrow::default_memory_pool(), std::move(stream)));
  return bytes;
}

Result<uint64_t> ByteStream::Read(uint64_t bytes, std::string* out) {
  uint64_t came = 0;
  while (came < bytes) {
    const size_t held = out->size();
    const uint64_t step = std::min(bytes - came, std::max<uint64_t>(kStepBytes, held));
    out->resize(held + step);
    const auto read = stream_->Read(static_cast<int64_t>(step), out->data() + held);
    if (!read.ok()) return ReadFailure(read.status(), path_);
    const auto count = static_cast<uint64_t>(*read);
    out->resize(held + count);
    came += count;
    position_ += count;
    if (count == 0) break;
  }
  return came;
}

Result<uint64_t> ByteStream::Skip(uint64_t bytes) {
  uint64_t came = 0;
  while (came < bytes) {
    passed_over_.clear();
    PENSTOCK_TRY(const uint64_t count, Read(std::min(bytes - came, kStepBytes), &passed_over_));
    if (count == 0) break;
    came += count;
  }
  return came;
}

uint64_t ByteStream::bytes_left_max() const {
  if (compressed_) return end_;
  return end_ - std::min(end_, position_);
}

std::string ByteStream::TextOf(uint64_t position) const {
  return fmt::format("{}, at byte {}{}", path_, position, compressed_ ? " when decompressed" : "");
}

}  // namespace penstock
