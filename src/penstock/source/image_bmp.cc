#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "penstock/source/byte_reader.h"
#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kOldHeaderBytes = 12;
constexpr uint32_t kHeaderBytes = 40;
constexpr uint32_t kMasksHeaderBytes = 52;  // From here on the masks are in the header,
constexpr uint32_t kAlphaHeaderBytes = 56;  // and from here on that of alpha.
constexpr uint32_t kPlain = 0;
constexpr uint32_t kMasks = 3;
constexpr uint32_t kAlphaMasks = 6;

struct BmpHeader {
  int64_t height = 0;
  int64_t width = 0;
  bool from_top = false;
  int bits = 0;
  uint32_t masks[4] = {};  // Red, green, blue, alpha; for 16 and 32 bits.
  size_t palette_at = 0;
  size_t palette_entry_bytes = 4;
  size_t palette_count = 0;
  size_t pixels_at = 0;
};

void ReadMasks(ByteReader& file, uint32_t header_bytes, uint32_t compression, BmpHeader& header) {
  const bool short_pixels = header.bits == 16;
  const uint32_t usual[] = {short_pixels ? 0x7C00U : 0xFF0000U, short_pixels ? 0x3E0U : 0xFF00U,
                            short_pixels ? 0x1FU : 0xFFU};
  std::ranges::copy(usual, header.masks);
  if (compression == kPlain) return;
  const size_t masks_at = kFileHeaderBytes + kHeaderBytes;
  for (size_t i = 0; i < 3; ++i) header.masks[i] = file.Long(masks_at + 4 * i);
  if (header_bytes >= kAlphaHeaderBytes || compression == kAlphaMasks) {
    header.masks[3] = file.Long(masks_at + 12);
  }
}

Result<BmpHeader> ReadHeader(ByteReader& file) {
  BmpHeader header{.pixels_at = file.Long(10)};
  const uint32_t header_bytes = file.Long(kFileHeaderBytes);
  uint32_t compression = kPlain;
  if (header_bytes == kOldHeaderBytes) {
    header.width = file.Short(18);
    header.height = file.Short(20);
    header.bits = file.Short(24);
    header.palette_entry_bytes = 3;
  } else if (header_bytes >= kHeaderBytes && header_bytes <= 1024) {
    header.width = file.SignedLong(18);
    header.height = file.SignedLong(22);
    header.bits = file.Short(28);
    compression = file.Long(30);
    header.palette_count = file.Long(46);
  } else {
    return Status::Invalid(fmt::format("the header's length is not known; got: {}", header_bytes));
  }
  header.from_top = header.height < 0;
  if (header.from_top) header.height = -header.height;
  const bool masked = header.bits == 16 || header.bits == 32;
  if (masked) ReadMasks(file, header_bytes, compression, header);
  header.palette_at = kFileHeaderBytes + header_bytes;
  if (header.bits <= 8 && header.palette_count == 0)
    header.palette_count = size_t{1} << header.bits;
  if (file.failed()) return Status::Invalid("the file ends in its header");
  PENSTOCK_RETURN_NOT_OK(CheckImageSize(header.height, header.width));
  constexpr int kBits[] = {1, 4, 8, 16, 24, 32};
  if (std::ranges::find(kBits, header.bits) == std::end(kBits)) {
    return Status::Invalid(fmt::format("this many bits a pixel are not known: {}", header.bits));
  }
  const bool plain =
      compression == kPlain || (masked && (compression == kMasks || compression == kAlphaMasks));
  if (!plain) {
    return Status::Invalid(
        fmt::format("compressed BMP is not read; save it as PNG; compression: {}", compression));
  }
  return header;
}

uint8_t Masked(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const uint64_t value = (pixel & mask) >> std::countr_zero(mask);
  const uint64_t largest = mask >> std::countr_zero(mask);
  return static_cast<uint8_t>((value * 255 + largest / 2) / largest);
}

struct Color {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;
};

std::vector<Color> ReadPalette(ByteReader& file, const BmpHeader& header) {
  std::vector<Color> palette(size_t{1} << header.bits);
  for (size_t i = 0; i < std::min(palette.size(), header.palette_count); ++i) {
    const size_t at = header.palette_at + i * header.palette_entry_bytes;
    palette[i] = {.red = file.Byte(at + 2), .green = file.Byte(at + 1), .blue = file.Byte(at)};
  }
  return palette;
}

bool IsGray(const std::vector<Color>& palette) {
  return std::ranges::all_of(palette, [](const Color& color) {
    return color.red == color.green && color.green == color.blue;
  });
}

void ReadIndexedRow(std::span<const uint8_t> row, const BmpHeader& header,
                    const std::vector<Color>& palette, int channels, uint8_t* pixel) {
  const int per_byte = 8 / header.bits;
  for (int64_t x = 0; x < header.width; ++x, pixel += channels) {
    const auto place = static_cast<int>(x % per_byte);
    const int shift = 8 - header.bits * (place + 1);
    const size_t index = row[static_cast<size_t>(x / per_byte)] >> shift & ((1 << header.bits) - 1);
    const Color& color = palette[index];
    pixel[0] = color.red;
    if (channels == 1) continue;
    pixel[1] = color.green;
    pixel[2] = color.blue;
  }
}

void ReadColorRow(std::span<const uint8_t> bytes, const BmpHeader& header, int channels,
                  uint8_t* pixel) {
  const size_t pixel_bytes = static_cast<size_t>(header.bits) / 8;
  ByteReader row(bytes);
  for (size_t at = 0; at < bytes.size(); at += pixel_bytes, pixel += channels) {
    if (header.bits == 24) {
      for (size_t channel = 0; channel < 3; ++channel) pixel[channel] = bytes[at + 2 - channel];
      continue;
    }
    const uint32_t value = header.bits == 16 ? row.Short(at) : row.Long(at);
    for (int channel = 0; channel < channels; ++channel) {
      pixel[channel] = Masked(value, header.masks[channel]);
    }
  }
}

}  // namespace

Result<Image> DecodeBmp(ImageBytes bytes, const ImageWish& /*wish*/) {
  ByteReader file(bytes);
  PENSTOCK_TRY(const BmpHeader header, ReadHeader(file));
  const bool indexed = header.bits <= 8;
  const int64_t row_bits = header.width * header.bits;
  const int64_t stored_row_bytes = (row_bits + 31) / 32 * 4;
  const auto row_bytes = static_cast<size_t>((row_bits + 7) / 8);
  const auto last_row_at =
      static_cast<uint64_t>(header.pixels_at) +
      static_cast<uint64_t>(stored_row_bytes) * static_cast<uint64_t>(header.height - 1);
  if (file.Bytes(last_row_at, row_bytes).size() < row_bytes) {
    return Status::Invalid("the file ends before its pixels do");
  }
  const std::vector<Color> palette = indexed ? ReadPalette(file, header) : std::vector<Color>();
  if (file.failed()) return Status::Invalid("the file ends in its palette");
  auto mode = header.masks[3] != 0 ? ImageMode::kColorAlpha : ImageMode::kColor;
  if (indexed && IsGray(palette)) mode = ImageMode::kGray;
  PENSTOCK_TRY(Image image, MakeImage(header.height, header.width, mode));
  for (int64_t i = 0; i < header.height; ++i) {
    const auto row =
        file.Bytes(header.pixels_at + static_cast<size_t>(i * stored_row_bytes), row_bytes);
    uint8_t* pixel = image.row(header.from_top ? i : header.height - 1 - i);
    if (indexed) {
      ReadIndexedRow(row, header, palette, ChannelsOf(mode), pixel);
    } else {
      ReadColorRow(row, header, ChannelsOf(mode), pixel);
    }
  }
  return image;
}

}  // namespace penstock
