#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

struct DeleteAnimation {
  void operator()(WebPAnimDecoder* animation) const { WebPAnimDecoderDelete(animation); }
};

Result<Image> DecodeStill(ImageBytes bytes, Image image) {
  const auto size = static_cast<size_t>(image.pixels->size());
  const int row_bytes = static_cast<int>(image.row_bytes());
  const auto* decoded =
      HasAlpha(image.mode)
          ? WebPDecodeRGBAInto(bytes.data(), bytes.size(), image.row(0), size, row_bytes)
          : WebPDecodeRGBInto(bytes.data(), bytes.size(), image.row(0), size, row_bytes);
  if (decoded == nullptr) return Status::Invalid("the picture is broken or cut off");
  return image;
}

/// The first picture of several, on the canvas that they share.
Result<Image> DecodeFirst(ImageBytes bytes, Image image) {
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  const WebPData data = {.bytes = bytes.data(), .size = bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, DeleteAnimation> animation(
      WebPAnimDecoderNew(&data, &options));
  WebPAnimInfo info = {};
  uint8_t* pixels = nullptr;
  int time_ms = 0;
  const bool decoded = animation != nullptr && WebPAnimDecoderGetInfo(animation.get(), &info) &&
                       info.canvas_width == static_cast<uint32_t>(image.size.width) &&
                       info.canvas_height == static_cast<uint32_t>(image.size.height) &&
                       WebPAnimDecoderGetNext(animation.get(), &pixels, &time_ms);
  if (!decoded) return Status::Invalid("the first picture is broken or cut off");
  PENSTOCK_TRY(Image canvas,
               MakeImage(image.size.height, image.size.width, ImageMode::kColorAlpha));
  std::memcpy(canvas.row(0), pixels, static_cast<size_t>(canvas.pixels->size()));
  return ConvertImage(std::move(canvas), image.mode);
}

}  // namespace

Result<Image> DecodeWebp(ImageBytes bytes, const ImageWish& /*wish*/) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK) {
    return Status::Invalid("the header is broken or cut off");
  }
  PENSTOCK_TRY(Image image,
               MakeImage(features.height, features.width,
                         features.has_alpha != 0 ? ImageMode::kColorAlpha : ImageMode::kColor));
  if (features.has_animation != 0) return DecodeFirst(bytes, std::move(image));
  return DecodeStill(bytes, std::move(image));
}

}  // namespace penstock
