#pragma once

#include <cstdint>
#include <span>

#include "penstock/base/status.h"
#include "penstock/source/image.h"

/// One decoder a format, in image_<format>.cc; DecodeImage chooses. None trusts the bytes. Each
/// checks the size that the header tells of before it allocates anything.
namespace penstock {

using ImageBytes = std::span<const uint8_t>;

Result<Image> DecodeJpeg(ImageBytes bytes, const ImageWish& wish);
Result<Image> DecodePng(ImageBytes bytes, const ImageWish& wish);
Result<Image> DecodeWebp(ImageBytes bytes, const ImageWish& wish);
Result<Image> DecodeGif(ImageBytes bytes, const ImageWish& wish);
Result<Image> DecodeBmp(ImageBytes bytes, const ImageWish& wish);
Result<Image> DecodeTiff(ImageBytes bytes, const ImageWish& wish);

}  // namespace penstock
