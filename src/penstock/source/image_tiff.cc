#include "penstock/source/image_tiff.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <vector>

#include "penstock/source/byte_reader.h"
#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

enum Tag : uint16_t {
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kStripOffsets = 273,
  kSamples = 277,
  kRowsPerStrip = 278,
  kStripBytes = 279,
  kPlanar = 284,
  kPredictor = 317,
  kPalette = 320,
  kTileWidth = 322,
  kTileHeight = 323,
  kTileOffsets = 324,
  kTileBytes = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
};

enum Compression : uint32_t {
  kPlain = 1,
  kLzw = 5,
  kDeflate = 8,
  kPackBits = 32773,
  kOldDeflate = 32946
};
enum Photometric : uint32_t { kWhiteIsZero = 0, kBlackIsZero = 1, kColors = 2, kPaletteColors = 3 };

constexpr uint32_t kShort = 3;
constexpr uint32_t kLong = 4;

/// The first folder of tags, whose values are whole numbers where they matter here.
class Tags {
 public:
  explicit Tags(ByteReader& file) : file_(file), at_(file.Long(4)), count_(file.Short(at_)) {}

  std::vector<uint32_t> All(Tag tag, size_t count_max) const {
    const auto entry = Find(tag);
    if (!entry) return {};
    const uint32_t type = file_.Short(*entry + 2);
    const size_t stored = file_.Long(*entry + 4);
    const size_t count = std::min(stored, count_max);
    if (type != kShort && type != kLong) return {};
    const size_t width = type == kShort ? 2 : 4;
    const size_t at = stored * width <= 4 ? *entry + 8 : file_.Long(*entry + 8);
    if (file_.Bytes(at, count * width).size() < count * width) return {};
    std::vector<uint32_t> values;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(width == 2 ? file_.Short(at + 2 * i) : file_.Long(at + 4 * i));
    }
    return values;
  }

  uint32_t One(Tag tag, uint32_t otherwise) const {
    const auto values = All(tag, 1);
    return values.empty() ? otherwise : values.front();
  }

 private:
  std::optional<size_t> Find(Tag tag) const {
    for (size_t i = 0; i < count_ && !file_.failed(); ++i) {
      const size_t entry = at_ + 2 + 12 * i;
      if (file_.Short(entry) == tag) return entry;
    }
    return std::nullopt;
  }

  ByteReader& file_;
  const size_t at_;
  const size_t count_;
};

struct TiffHeader {
  int64_t height = 0;
  int64_t width = 0;
  int bits = 1;  // Of a sample.
  int samples = 1;
  uint32_t compression = kPlain;
  uint32_t photometric = kBlackIsZero;
  bool differences = false;  // Samples are stored as the difference to their left neighbour.
  bool alpha = false;
  bool big_endian = false;
  int64_t piece_height = 0;  // Of a strip or tile,
  int64_t piece_width = 0;
  std::vector<uint32_t> offsets;  // of which each lies somewhere.
  std::vector<uint32_t> byte_counts;
  std::vector<uint32_t> palette;  // All reds, then greens, then blues, of 16 bits.

  int64_t pieces_across() const { return (width + piece_width - 1) / piece_width; }
  int64_t piece_row_bytes() const { return (piece_width * samples * bits + 7) / 8; }
};

const char* NumbersOf(uint32_t sample_format) {
  constexpr const char* kNames[] = {"unknown", "whole and positive", "whole", "floating"};
  return sample_format < std::size(kNames) ? kNames[sample_format] : kNames[0];
}

Status CheckKind(const Tags& tags, const TiffHeader& header) {
  const std::vector<uint32_t> bits = tags.All(kBits, 8);
  const bool even = std::ranges::all_of(
      bits, [&header](uint32_t one) { return one == static_cast<uint32_t>(header.bits); });
  const bool bits_known =
      header.bits == 8 || header.bits == 16 || (header.bits == 1 && header.samples == 1);
  const bool whole_numbers = tags.One(kSampleFormat, 1) == 1;
  if (!even || !bits_known || !whole_numbers) {
    return Status::NotImplemented(
        fmt::format("pixels of this type are not supported: only samples of 8 or 16 bits, whole "
                    "and positive, or of 1 bit are read; convert the image, or read it with "
                    "read_binary_files and decode it in a function; bits: {}, numbers: {}",
                    header.bits, NumbersOf(tags.One(kSampleFormat, 1))));
  }
  if (tags.One(kPlanar, 1) != 1 && header.samples > 1) {
    return Status::NotImplemented(
        "colours in planes of their own are not read; save the image as PNG");
  }
  const bool colors = header.photometric == kColors && (header.samples == 3 || header.samples == 4);
  const bool gray = (header.photometric == kWhiteIsZero || header.photometric == kBlackIsZero) &&
                    header.samples <= 2;
  const bool indexed = header.photometric == kPaletteColors && header.samples == 1 &&
                       header.bits == 8 && header.palette.size() == 3 * 256;
  if (colors || gray || indexed) return Status::OK();
  return Status::NotImplemented(
      fmt::format("only gray, RGB and palettes are read; save the image as PNG; photometric "
                  "interpretation: {}, samples: {}",
                  header.photometric, header.samples));
}

Result<TiffHeader> ReadHeader(ByteReader& file, bool big_endian) {
  const Tags tags(file);
  TiffHeader header{.big_endian = big_endian};
  header.height = tags.One(kHeight, 0);
  header.width = tags.One(kWidth, 0);
  if (file.failed()) return Status::Invalid("the file ends before its tags do");
  PENSTOCK_RETURN_NOT_OK(CheckImageSize(header.height, header.width));
  header.bits = static_cast<int>(tags.One(kBits, 1));
  header.samples = static_cast<int>(std::min<uint32_t>(tags.One(kSamples, 1), 255));
  header.compression = tags.One(kCompression, kPlain);
  header.photometric = tags.One(kPhotometric, kBlackIsZero);
  header.differences = tags.One(kPredictor, 1) == 2;
  header.alpha = header.samples == 2 || header.samples == 4;
  if (header.photometric == kPaletteColors) header.palette = tags.All(kPalette, 3 * 256);
  PENSTOCK_RETURN_NOT_OK(CheckKind(tags, header));
  const bool tiled = tags.One(kTileWidth, 0) > 0;
  header.piece_width = tiled ? tags.One(kTileWidth, 0) : header.width;
  header.piece_height = tiled
                            ? tags.One(kTileHeight, 0)
                            : std::min<int64_t>(tags.One(kRowsPerStrip, UINT32_MAX), header.height);
  PENSTOCK_RETURN_NOT_OK(CheckImageSize(header.piece_height, header.piece_width));
  const int64_t down = (header.height + header.piece_height - 1) / header.piece_height;
  const auto pieces = static_cast<size_t>(header.pieces_across() * down);
  header.offsets = tags.All(tiled ? kTileOffsets : kStripOffsets, pieces);
  header.byte_counts = tags.All(tiled ? kTileBytes : kStripBytes, pieces);
  if (header.offsets.size() < pieces || header.byte_counts.size() < pieces) {
    return Status::Invalid("the file does not say where all its pixels lie");
  }
  return header;
}

Result<std::vector<uint8_t>> Unpacked(const TiffHeader& header, ImageBytes packed, size_t bytes) {
  std::vector<uint8_t> plain;
  switch (header.compression) {
    case kPlain:
      plain.assign(packed.begin(),
                   packed.begin() + static_cast<ptrdiff_t>(std::min(bytes, packed.size())));
      break;
    case kPackBits:
      plain = UnpackBits(packed, bytes);
      break;
    case kLzw:
      plain = UnpackLzw(packed, bytes);
      break;
    case kDeflate:
    case kOldDeflate: {
      plain.resize(bytes);
      uLongf written = bytes;
      const int result = uncompress(plain.data(), &written, packed.data(), packed.size());
      const bool good = result == Z_OK || result == Z_BUF_ERROR;  // More than it should: no harm.
      plain.resize(good ? written : 0);
      break;
    }
    default:
      return Status::NotImplemented(
          fmt::format("this compression is not read; save the image as PNG; compression: {}",
                      header.compression));
  }
  if (plain.size() < bytes) return Status::Invalid("the pixels are broken or cut off");
  return plain;
}

/// Makes samples of 8 bits of a piece's row.
void ReadSamples(const TiffHeader& header, uint8_t* row, std::vector<uint8_t>& samples) {
  const auto count = static_cast<size_t>(header.piece_width * header.samples);
  const auto step = static_cast<size_t>(header.samples);
  if (header.bits == 1) {
    for (size_t i = 0; i < count; ++i) samples[i] = (row[i / 8] >> (7 - i % 8) & 1) != 0 ? 255 : 0;
  } else if (header.bits == 8) {
    for (size_t i = step; header.differences && i < count; ++i) row[i] += row[i - step];
    std::copy_n(row, count, samples.begin());
  } else {
    const size_t high = header.big_endian ? 0 : 1;
    uint16_t last[4] = {};
    for (size_t i = 0; i < count; ++i) {
      auto value = static_cast<uint16_t>(row[2 * i + high] << 8 | row[2 * i + 1 - high]);
      if (header.differences) value += last[i % step];
      last[i % step] = value;
      samples[i] = static_cast<uint8_t>(value >> 8);
    }
  }
}

void PutPixels(const TiffHeader& header, const uint8_t* samples, int64_t count, uint8_t* pixel) {
  const int channels = header.samples;
  if (header.photometric == kPaletteColors) {
    for (int64_t i = 0; i < count; ++i) {
      for (size_t color = 0; color < 3; ++color) {
        *pixel++ = static_cast<uint8_t>(header.palette[color * 256 + samples[i]] >> 8);
      }
    }
    return;
  }
  std::copy_n(samples, count * channels, pixel);
  if (header.photometric != kWhiteIsZero) return;
  for (int64_t i = 0; i < count * channels; i += channels) pixel[i] = 255 - pixel[i];
}

}  // namespace

Result<Image> DecodeTiff(ImageBytes bytes, const ImageWish& /*wish*/) {
  const bool big_endian = bytes.front() == 'M';
  ByteReader file(bytes, big_endian);
  PENSTOCK_TRY(const TiffHeader header, ReadHeader(file, big_endian));
  const auto mode = header.photometric == kPaletteColors ? ImageMode::kColor
                                                         : static_cast<ImageMode>(header.samples);
  PENSTOCK_TRY(Image image, MakeImage(header.height, header.width, mode));
  std::vector<uint8_t> samples(static_cast<size_t>(header.piece_width * header.samples));
  for (size_t piece = 0; piece < header.offsets.size(); ++piece) {
    const auto index = static_cast<int64_t>(piece);
    const int64_t top = index / header.pieces_across() * header.piece_height;
    const int64_t left = index % header.pieces_across() * header.piece_width;
    const bool tiled = header.piece_width != header.width;
    const int64_t rows = std::min(header.piece_height, header.height - top);
    const int64_t stored_rows = tiled ? header.piece_height : rows;
    const int64_t columns = std::min(header.piece_width, header.width - left);
    const ImageBytes packed = file.Bytes(header.offsets[piece], header.byte_counts[piece]);
    PENSTOCK_TRY(auto plain, Unpacked(header, packed,
                                      static_cast<size_t>(stored_rows * header.piece_row_bytes())));
    for (int64_t y = 0; y < rows; ++y) {
      ReadSamples(header, plain.data() + y * header.piece_row_bytes(), samples);
      PutPixels(header, samples.data(), columns, image.row(top + y) + left * ChannelsOf(mode));
    }
  }
  return image;
}

}  // namespace penstock
