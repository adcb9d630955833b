#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// The channels of a pixel, each of 8 bits; alpha is not multiplied into the others. The value is
/// their number.
enum class ImageMode : uint8_t { kGray = 1, kGrayAlpha = 2, kColor = 3, kColorAlpha = 4 };

constexpr int ChannelsOf(ImageMode mode) { return static_cast<int>(mode); }
constexpr bool HasAlpha(ImageMode mode) { return ChannelsOf(mode) % 2 == 0; }

/// Returns the mode that Pillow calls so: "L", "LA", "RGB" or "RGBA"; Invalid naming these.
Result<ImageMode> ImageModeOf(const std::string& name);

/// Larger images are refused, by what their header says: 2 ** 27.
inline constexpr int64_t kImagePixelsMax = int64_t{1} << 27;

struct ImageSize {
  int32_t height = 0;
  int32_t width = 0;
};

/// Rows from the top, pixels from the left, channels interleaved.
struct Image {
  ImageSize size;
  ImageMode mode = ImageMode::kColor;
  std::unique_ptr<arrow::Buffer> pixels;

  /// What part of it is the picture, in pixels: less where it was decoded to a fraction of its
  /// size that does not divide its own.
  double picture_height = 0;
  double picture_width = 0;

  int64_t row_bytes() const { return int64_t{size.width} * ChannelsOf(mode); }
  uint8_t* row(int64_t y) { return pixels->mutable_data() + y * row_bytes(); }
  const uint8_t* row(int64_t y) const { return pixels->data() + y * row_bytes(); }
};

/// Allocates an image; Invalid where there is no pixel, or more than kImagePixelsMax.
Result<Image> MakeImage(int64_t height, int64_t width, ImageMode mode);

/// Invalid as in MakeImage, before anything else is made of a header's numbers.
Status CheckImageSize(int64_t height, int64_t width);

/// What the caller makes of an image; decoders may use it to do less, none needs to.
struct ImageWish {
  std::optional<ImageSize> size;
  std::optional<ImageMode> mode;
};

/// Decodes JPEG, PNG, WebP, GIF, BMP or TIFF, of the last four the first picture; told apart by
/// their first bytes. Palettes become colours, 16 bits become 8, orientation marks are ignored.
/// Invalid, saying why, for bytes that are broken or of another format. Any thread.
Result<Image> DecodeImage(std::span<const uint8_t> bytes, const ImageWish& wish);

/// Returns the image in another mode, by the formulas that Pillow's convert has.
Result<Image> ConvertImage(Image image, ImageMode mode);

/// Writes the picture in another size to `pixels`, which has room for it in the image's mode: each
/// pixel the mean of those that it covers, weighted by a triangle, as Pillow's BILINEAR.
Status ResizeImage(const Image& image, ImageSize size, uint8_t* pixels);

}  // namespace penstock
