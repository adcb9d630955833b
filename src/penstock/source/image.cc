#include "penstock/source/image.h"

#include <fmt/format.h>

#include <string_view>

#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

using namespace std::string_view_literals;

struct Format {
  std::string_view begin;
  size_t mark_at;
  std::string_view mark;  // Also there.
  Result<Image> (*decode)(ImageBytes bytes, const ImageWish& wish);
};

constexpr Format kFormats[] = {
    {"\xFF\xD8\xFF"sv, 0, ""sv, DecodeJpeg}, {"\x89PNG\r\n\x1A\n"sv, 0, ""sv, DecodePng},
    {"RIFF"sv, 8, "WEBP"sv, DecodeWebp},     {"GIF87a"sv, 0, ""sv, DecodeGif},
    {"GIF89a"sv, 0, ""sv, DecodeGif},        {"BM"sv, 6, ""sv, DecodeBmp},
    {"II*\0"sv, 0, ""sv, DecodeTiff},        {"MM\0*"sv, 0, ""sv, DecodeTiff},
};

struct ModeName {
  std::string_view name;
  ImageMode mode;
};
constexpr ModeName kModeNames[] = {{"L", ImageMode::kGray},
                                   {"LA", ImageMode::kGrayAlpha},
                                   {"RGB", ImageMode::kColor},
                                   {"RGBA", ImageMode::kColorAlpha}};

}  // namespace

Result<ImageMode> ImageModeOf(const std::string& name) {
  for (const ModeName& known : kModeNames) {
    if (known.name == name) return known.mode;
  }
  return Status::Invalid(
      fmt::format("An image's mode must be L, LA, RGB or RGBA; convert to others in a function of "
                  "yours; got: {}",
                  name));
}

Status CheckImageSize(int64_t height, int64_t width) {
  if (height < 1 || width < 1) {
    return Status::Invalid(fmt::format("the image has no pixels; got: {} x {}", width, height));
  }
  if (width > kImagePixelsMax / height) {
    return Status::Invalid(fmt::format("the image is too large; pixels at most: {}; got: {} x {}",
                                       kImagePixelsMax, width, height));
  }
  return Status::OK();
}

Result<Image> MakeImage(int64_t height, int64_t width, ImageMode mode) {
  PENSTOCK_RETURN_NOT_OK(CheckImageSize(height, width));
  Image image{
      .size = {.height = static_cast<int32_t>(height), .width = static_cast<int32_t>(width)},
      .mode = mode,
      .picture_height = static_cast<double>(height),
      .picture_width = static_cast<double>(width)};
  PENSTOCK_TRY(image.pixels, arrow::AllocateBuffer(height * image.row_bytes()));
  return image;
}

Result<Image> DecodeImage(std::span<const uint8_t> bytes, const ImageWish& wish) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Format& format : kFormats) {
    if (!text.starts_with(format.begin) || text.size() < format.mark_at) continue;
    if (text.substr(format.mark_at).starts_with(format.mark)) return format.decode(bytes, wish);
  }
  return Status::Invalid("the file does not begin as a JPEG, PNG, WebP, GIF, BMP or TIFF does");
}

}  // namespace penstock
