#include <webp/encode.h>

#include <cstddef>
#include <cstdint>

#include "penstock/sink/picture.h"

namespace penstock {
namespace {

constexpr float kQuality = 80;

std::string ThreeOfEach(const std::string& samples) {
  std::string colours;
  colours.reserve(samples.size() * 3);
  for (const char sample : samples) colours.append(3, sample);
  return colours;
}

}  // namespace

Result<std::string> EncodeWebp(const Picture& picture) {
  if (picture.width > WEBP_MAX_DIMENSION || picture.height > WEBP_MAX_DIMENSION) {
    return Status::Invalid("a WebP has at most ", WEBP_MAX_DIMENSION,
                           " points a side; got: ", picture.height, " × ", picture.width);
  }
  const bool grey = picture.channels == 1;
  const std::string colours = grey ? ThreeOfEach(picture.samples) : std::string();
  const std::string& samples = grey ? colours : picture.samples;
  const auto* const points = reinterpret_cast<const uint8_t*>(samples.data());
  const auto width = static_cast<int>(picture.width);
  const auto height = static_cast<int>(picture.height);
  const int line = width * static_cast<int>(grey ? 3 : picture.channels);
  uint8_t* bytes = nullptr;
  const size_t size = picture.channels == 4
                          ? WebPEncodeRGBA(points, width, height, line, kQuality, &bytes)
                          : WebPEncodeRGB(points, width, height, line, kQuality, &bytes);
  std::string webp(reinterpret_cast<const char*>(bytes), size);
  WebPFree(bytes);
  if (!webp.empty()) return webp;
  return Status::IOError("a picture cannot be encoded as WebP; got: ", picture.height, " × ",
                         picture.width);
}

}  // namespace penstock
