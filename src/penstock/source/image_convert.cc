#include <utility>

#include "penstock/source/image.h"

namespace penstock {
namespace {

/// Luma by ITU-R 601-2, in 16 bits of fraction.
uint8_t Gray(const uint8_t* color) {
  return static_cast<uint8_t>((color[0] * 19595 + color[1] * 38470 + color[2] * 7471 + 0x8000) >>
                              16);
}

template <ImageMode kFrom, ImageMode kTo>
void ConvertPixels(const uint8_t* from, uint8_t* to, int64_t count) {
  constexpr int kFromChannels = ChannelsOf(kFrom);
  constexpr int kToChannels = ChannelsOf(kTo);
  for (int64_t i = 0; i < count; ++i, from += kFromChannels, to += kToChannels) {
    if constexpr (kToChannels < 3) {
      to[0] = kFromChannels < 3 ? from[0] : Gray(from);
    } else {
      for (int channel = 0; channel < 3; ++channel) {
        to[channel] = from[kFromChannels < 3 ? 0 : channel];
      }
    }
    if constexpr (HasAlpha(kTo))
      to[kToChannels - 1] = HasAlpha(kFrom) ? from[kFromChannels - 1] : 255;
  }
}

using Converter = void (*)(const uint8_t*, uint8_t*, int64_t);

template <ImageMode kFrom>
Converter ConverterTo(ImageMode mode) {
  switch (mode) {
    case ImageMode::kGray:
      return ConvertPixels<kFrom, ImageMode::kGray>;
    case ImageMode::kGrayAlpha:
      return ConvertPixels<kFrom, ImageMode::kGrayAlpha>;
    case ImageMode::kColor:
      return ConvertPixels<kFrom, ImageMode::kColor>;
    case ImageMode::kColorAlpha:
      break;
  }
  return ConvertPixels<kFrom, ImageMode::kColorAlpha>;
}

Converter ConverterOf(ImageMode from, ImageMode to) {
  switch (from) {
    case ImageMode::kGray:
      return ConverterTo<ImageMode::kGray>(to);
    case ImageMode::kGrayAlpha:
      return ConverterTo<ImageMode::kGrayAlpha>(to);
    case ImageMode::kColor:
      return ConverterTo<ImageMode::kColor>(to);
    case ImageMode::kColorAlpha:
      break;
  }
  return ConverterTo<ImageMode::kColorAlpha>(to);
}

}  // namespace

Result<Image> ConvertImage(Image image, ImageMode mode) {
  if (image.mode == mode) return image;
  PENSTOCK_TRY(Image converted, MakeImage(image.size.height, image.size.width, mode));
  ConverterOf(image.mode, mode)(image.row(0), converted.row(0),
                                int64_t{image.size.height} * image.size.width);
  converted.picture_height = image.picture_height;
  converted.picture_width = image.picture_width;
  return converted;
}

}  // namespace penstock
