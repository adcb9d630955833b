#include <arrow/util/compression.h>
#include <arrow/util/crc32.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "penstock/sink/picture.h"

namespace penstock {
namespace {

constexpr int64_t kSideMax = (int64_t{1} << 31) - 1;

void AppendBig32(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) *out += static_cast<char>(value >> shift);
}

void AppendLittle(uint64_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) *out += static_cast<char>(value >> (8 * i));
}

void AppendPngChunk(std::string_view kind, std::string_view data, std::string* out) {
  AppendBig32(static_cast<uint32_t>(data.size()), out);
  const size_t begin = out->size();
  *out += kind;
  *out += data;
  AppendBig32(arrow::internal::crc32(0, out->data() + begin, out->size() - begin), out);
}

/// The neighbour (left, above, or above and left) that lies nearest to their plane.
int Paeth(int left, int above, int corner) {
  const int estimate = left + above - corner;
  const int to_left = std::abs(estimate - left);
  const int to_above = std::abs(estimate - above);
  const int to_corner = std::abs(estimate - corner);
  if (to_left <= to_above && to_left <= to_corner) return left;
  return to_above <= to_corner ? above : corner;
}

/// Says how each sample differs from what its neighbours let expect: compresses far better.
std::string Filtered(const Picture& picture) {
  constexpr char kPaethFilter = 4;
  const auto line_bytes = static_cast<size_t>(picture.width * picture.channels);
  const auto step = static_cast<size_t>(picture.channels);
  // Both lines begin with a point of zeros, which stands left of the picture.
  std::vector<unsigned char> above(line_bytes + step);
  std::vector<unsigned char> line(line_bytes + step);
  std::string filtered(picture.samples.size() + static_cast<size_t>(picture.height), kPaethFilter);
  char* out = filtered.data();
  for (int64_t y = 0; y < picture.height; ++y) {
    std::copy_n(picture.samples.begin() + y * static_cast<int64_t>(line_bytes), line_bytes,
                line.begin() + static_cast<int64_t>(step));
    ++out;  // The filter's number stands there already.
    for (size_t x = step; x < line.size(); ++x) {
      *out++ = static_cast<char>(line[x] - Paeth(line[x - step], above[x], above[x - step]));
    }
    line.swap(above);
  }
  return filtered;
}

Result<std::string> Deflated(const std::string& bytes) {
  arrow::util::GZipCodecOptions options;
  options.gzip_format = arrow::util::GZipFormat::ZLIB;
  options.compression_level = 6;
  PENSTOCK_TRY(const auto codec, arrow::util::Codec::Create(arrow::Compression::GZIP, options));
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int64_t>(bytes.size());
  std::string out(static_cast<size_t>(codec->MaxCompressedLen(size, data)), '\0');
  PENSTOCK_TRY(const int64_t length, codec->Compress(size, data, static_cast<int64_t>(out.size()),
                                                     reinterpret_cast<uint8_t*>(out.data())));
  out.resize(static_cast<size_t>(length));
  return out;
}

/// What a TIFF says of its picture: a number, or where several stand.
struct TiffTag {
  uint64_t name;
  uint64_t type;
  uint64_t count;
  uint64_t value;
};
constexpr uint64_t kTiffShort = 3;
constexpr uint64_t kTiffLong = 4;

Status CheckSides(const Picture& picture) {
  if (picture.width <= kSideMax / 4 / picture.height && picture.samples.size() < kSideMax / 2) {
    return Status::OK();
  }
  return Status::Invalid("a picture of ", picture.height, " × ", picture.width,
                         " is too large to be written");
}

}  // namespace

Result<std::string> EncodePng(const Picture& picture) {
  PENSTOCK_RETURN_NOT_OK(CheckSides(picture));
  std::string header;
  AppendBig32(static_cast<uint32_t>(picture.width), &header);
  AppendBig32(static_cast<uint32_t>(picture.height), &header);
  header += '\x08';  // Bits a sample.
  header += picture.channels == 1 ? '\0' : picture.channels == 3 ? '\2' : '\6';
  header.append(3, '\0');  // Deflate, the usual filters, not interlaced.
  PENSTOCK_TRY(const std::string data, Deflated(Filtered(picture)));
  std::string png = "\x89PNG\r\n\x1A\n";
  AppendPngChunk("IHDR", header, &png);
  AppendPngChunk("IDAT", data, &png);
  AppendPngChunk("IEND", "", &png);
  return png;
}

Result<std::string> EncodeBmp(const Picture& picture) {
  PENSTOCK_RETURN_NOT_OK(CheckSides(picture));
  constexpr uint64_t kHeadBytes = 14 + 40;
  const bool grey = picture.channels == 1;
  const uint64_t palette_bytes = grey ? 256 * 4 : 0;
  const int64_t line = picture.width * picture.channels;
  const int64_t padding = (4 - line % 4) % 4;
  const auto pixel_bytes = static_cast<uint64_t>((line + padding) * picture.height);
  std::string bmp = "BM";
  AppendLittle(kHeadBytes + palette_bytes + pixel_bytes, 4, &bmp);
  AppendLittle(0, 4, &bmp);
  AppendLittle(kHeadBytes + palette_bytes, 4, &bmp);
  AppendLittle(40, 4, &bmp);
  AppendLittle(static_cast<uint64_t>(picture.width), 4, &bmp);
  AppendLittle(static_cast<uint64_t>(picture.height), 4, &bmp);
  AppendLittle(1, 2, &bmp);
  AppendLittle(static_cast<uint64_t>(picture.channels) * 8, 2, &bmp);
  AppendLittle(0, 4, &bmp);
  AppendLittle(pixel_bytes, 4, &bmp);
  AppendLittle(0, 8, &bmp);
  AppendLittle(grey ? 256 : 0, 4, &bmp);
  AppendLittle(0, 4, &bmp);
  for (uint64_t i = 0; grey && i < 256; ++i) AppendLittle(i * 0x010101, 4, &bmp);
  for (int64_t y = picture.height - 1; y >= 0; --y) {
    for (int64_t x = 0; x < picture.width; ++x) {
      const char* const point = picture.samples.data() + y * line + x * picture.channels;
      if (grey) {
        bmp += *point;
        continue;
      }
      bmp += {point[2], point[1], point[0]};
      if (picture.channels == 4) bmp += point[3];
    }
    bmp.append(static_cast<size_t>(padding), '\0');
  }
  return bmp;
}

Result<std::string> EncodeTiff(const Picture& picture) {
  PENSTOCK_RETURN_NOT_OK(CheckSides(picture));
  constexpr uint64_t kHeadBytes = 8;
  const auto channels = static_cast<uint64_t>(picture.channels);
  const uint64_t samples_end = kHeadBytes + picture.samples.size();
  const uint64_t bits_begin = samples_end + samples_end % 2;
  std::vector<TiffTag> tags = {{256, kTiffLong, 1, static_cast<uint64_t>(picture.width)},
                               {257, kTiffLong, 1, static_cast<uint64_t>(picture.height)},
                               {258, kTiffShort, channels, channels == 1 ? 8 : bits_begin},
                               {259, kTiffShort, 1, 1},                        // Not compressed.
                               {262, kTiffShort, 1, channels == 1 ? 1U : 2U},  // Grey, or RGB.
                               {273, kTiffLong, 1, kHeadBytes},
                               {277, kTiffShort, 1, channels},
                               {278, kTiffLong, 1, static_cast<uint64_t>(picture.height)},
                               {279, kTiffLong, 1, picture.samples.size()}};
  if (channels == 4) tags.push_back({338, kTiffShort, 1, 2});  // The fourth is transparency.
  std::string tiff("II\x2A\0", 4);
  AppendLittle(bits_begin + channels * 2, 4, &tiff);
  tiff += picture.samples;
  tiff.append(samples_end % 2, '\0');
  for (uint64_t i = 0; i < channels; ++i) AppendLittle(8, 2, &tiff);  // Bits of each sample.
  AppendLittle(tags.size(), 2, &tiff);
  for (const TiffTag& tag : tags) {
    AppendLittle(tag.name, 2, &tiff);
    AppendLittle(tag.type, 2, &tiff);
    AppendLittle(tag.count, 4, &tiff);
    AppendLittle(tag.value, 4, &tiff);
  }
  AppendLittle(0, 4, &tiff);  // No other picture follows.
  return tiff;
}

}  // namespace penstock
