#include <cstring>
#include <vector>

#include "fuzzing.h"
#include "penstock/source/image.h"

/// Images of all formats. The first byte chooses what the caller makes of them.
namespace penstock {
namespace {

ImageWish WishOf(uint8_t choice) {
  ImageWish wish;
  if ((choice & 1) != 0) wish.size = {.height = 1 + choice % 13, .width = 1 + choice % 7};
  if ((choice & 2) != 0) wish.mode = static_cast<ImageMode>(1 + (choice >> 2) % 4);
  return wish;
}

void Check(const Image& image) {
  Require(image.size.height > 0 && image.size.width > 0, "an image has pixels");
  Require(int64_t{image.size.height} * image.size.width <= kImagePixelsMax,
          "an image has no more pixels than the limit");
  Require(image.pixels->size() == image.size.height * image.row_bytes(),
          "an image's pixels fill its size");
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  InputBytes input(data, size);
  const ImageWish wish = WishOf(input.Byte());
  const std::string_view rest = input.Rest();
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(rest.data()), rest.size());
  auto image = DecodeImage(bytes, wish);
  if (!image.ok()) return 0;
  Check(*image);
  const auto again = DecodeImage(bytes, wish);
  Require(again.ok() && again->pixels->Equals(*image->pixels), "decoding says the same twice");
  constexpr int64_t kPixelsWorked = 1 << 20;
  if (int64_t{image->size.height} * image->size.width > kPixelsWorked) return 0;
  auto converted = ConvertImage(std::move(*image), wish.mode.value_or(ImageMode::kColor));
  if (!converted.ok()) return 0;
  Check(*converted);
  const ImageSize wanted = wish.size.value_or(ImageSize{.height = 5, .width = 3});
  std::vector<uint8_t> pixels(static_cast<size_t>(wanted.height) *
                              static_cast<size_t>(wanted.width) *
                              static_cast<size_t>(ChannelsOf(converted->mode)));
  Require(ResizeImage(*converted, wanted, pixels.data()).ok(), "an image can be resized");
  return 0;
}
