#include <fmt/format.h>
#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

struct CloseGif {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, CloseGif>;

int ReadBytes(GifFileType* gif, GifByteType* to, int count) {
  auto& left = *static_cast<ImageBytes*>(gif->UserData);
  const size_t read = std::min(static_cast<size_t>(std::max(count, 0)), left.size());
  std::memcpy(to, left.data(), read);
  left = left.subspan(read);
  return static_cast<int>(read);
}

Status Failure(int error) {
  const char* text = GifErrorString(error);
  return Status::Invalid(text == nullptr ? "the file is broken or cut off" : text);
}

/// Goes on to the first picture; returns which of its colours is transparent, -1: none.
Result<int> FindPicture(GifFileType& gif) {
  int transparent = NO_TRANSPARENT_COLOR;
  while (true) {
    GifRecordType kind = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(&gif, &kind) == GIF_ERROR) return Failure(gif.Error);
    if (kind == TERMINATE_RECORD_TYPE) return Status::Invalid("the file has no picture");
    if (kind == IMAGE_DESC_RECORD_TYPE) return transparent;
    int code = 0;
    GifByteType* extension = nullptr;
    if (DGifGetExtension(&gif, &code, &extension) == GIF_ERROR) return Failure(gif.Error);
    while (extension != nullptr) {
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE &&
          DGifExtensionToGCB(extension[0], extension + 1, &control) == GIF_OK) {
        transparent = control.TransparentColor;
      }
      if (DGifGetExtensionNext(&gif, &extension) == GIF_ERROR) return Failure(gif.Error);
    }
  }
}

/// The order in which rows come.
std::vector<int> RowOrder(int height, bool interlaced) {
  constexpr int kPasses[][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};  // First row, step.
  std::vector<int> rows;
  if (!interlaced) {
    for (int y = 0; y < height; ++y) rows.push_back(y);
    return rows;
  }
  for (const auto& [first, step] : kPasses) {
    for (int y = first; y < height; y += step) rows.push_back(y);
  }
  return rows;
}

void PutColor(const ColorMapObject* colors, int index, int transparent, int channels,
              uint8_t* pixel) {
  const GifColorType gray = {.Red = static_cast<GifByteType>(index),
                             .Green = static_cast<GifByteType>(index),
                             .Blue = static_cast<GifByteType>(index)};
  GifColorType color = gray;
  if (colors != nullptr)
    color = index < colors->ColorCount ? colors->Colors[index] : GifColorType{};
  pixel[0] = color.Red;
  pixel[1] = color.Green;
  pixel[2] = color.Blue;
  if (channels == 4) pixel[3] = index == transparent ? 0 : 255;
}

}  // namespace

Result<Image> DecodeGif(ImageBytes bytes, const ImageWish& /*wish*/) {
  ImageBytes left = bytes;
  int error = 0;
  const Gif gif(DGifOpen(&left, ReadBytes, &error));
  if (gif == nullptr) return Failure(error);
  PENSTOCK_TRY(const int transparent, FindPicture(*gif));
  if (DGifGetImageDesc(gif.get()) == GIF_ERROR) return Failure(gif->Error);
  const GifImageDesc& picture = gif->Image;
  const bool alpha = transparent != NO_TRANSPARENT_COLOR;
  if (picture.Left < 0 || picture.Top < 0 || picture.Width < 1 || picture.Height < 1 ||
      picture.Left + picture.Width > gif->SWidth || picture.Top + picture.Height > gif->SHeight) {
    return Status::Invalid(fmt::format("the picture does not lie on its screen of {} x {}",
                                       gif->SWidth, gif->SHeight));
  }
  PENSTOCK_TRY(Image image, MakeImage(gif->SHeight, gif->SWidth,
                                      alpha ? ImageMode::kColorAlpha : ImageMode::kColor));
  const int channels = ChannelsOf(image.mode);
  const ColorMapObject* colors = picture.ColorMap != nullptr ? picture.ColorMap : gif->SColorMap;
  for (int64_t i = 0; i < image.pixels->size(); i += channels) {
    PutColor(colors, alpha ? transparent : 0, transparent, channels, image.row(0) + i);
  }
  std::vector<GifPixelType> line(static_cast<size_t>(picture.Width));
  for (const int y : RowOrder(picture.Height, picture.Interlace)) {
    if (DGifGetLine(gif.get(), line.data(), picture.Width) == GIF_ERROR) return Failure(gif->Error);
    uint8_t* pixel = image.row(picture.Top + y) + int64_t{picture.Left} * channels;
    for (const GifPixelType index : line) {
      PutColor(colors, index, transparent, channels, pixel);
      pixel += channels;
    }
  }
  return image;
}

}  // namespace penstock
