#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "penstock/source/image.h"

/// The picture is first made lower, row by row, then narrower.
/// Inlined into their callers, functions would not be cloned for newer processors.
/// Sanitizers are not there yet when the clone is chosen.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PENSTOCK_FOR_NEWER_PROCESSORS __attribute__((noinline, target_clones("avx2", "default")))
#else
#define PENSTOCK_FOR_NEWER_PROCESSORS
#endif

namespace penstock {
namespace {

/// Four values at once; of a pixel with fewer channels the last ones are the next pixel's.
using FourValues = float __attribute__((vector_size(16)));
constexpr size_t kSpareValues = 4;  // Behind the last pixel of a row.

/// Which pixels of a line make up each pixel of the shorter or longer one.
struct Weights {
  int taps = 0;                // For each pixel, the last ones perhaps 0.
  std::vector<int32_t> begin;  // So that begin + taps stays within the line where it can.
  std::vector<float> weights;
};

Weights MakeWeights(double picture, int32_t from, int32_t to) {
  const double scale = picture / to;
  const double support = std::max(scale, 1.0);
  Weights made;
  made.taps = std::min<int>(static_cast<int>(std::ceil(2 * support)), from);
  std::vector<double> exact(static_cast<size_t>(made.taps));
  for (int32_t x = 0; x < to; ++x) {
    const double center = (x + 0.5) * scale;
    const int32_t first = std::max(0, static_cast<int32_t>(center - support + 0.5));
    const int32_t begin = std::min(first, from - made.taps);
    const int32_t end = std::min(from, static_cast<int32_t>(center + support + 0.5));
    double sum = 0;
    for (int tap = 0; tap < made.taps; ++tap) {
      const int32_t pixel = begin + tap;
      const double distance = std::abs((pixel - center + 0.5) / support);
      const bool inside = pixel >= first && pixel < end;
      exact[static_cast<size_t>(tap)] = inside ? std::max(0.0, 1.0 - distance) : 0.0;
      sum += exact[static_cast<size_t>(tap)];
    }
    made.begin.push_back(begin);
    for (const double weight : exact) made.weights.push_back(static_cast<float>(weight / sum));
  }
  return made;
}

PENSTOCK_FOR_NEWER_PROCESSORS
void AddRow(const uint8_t* __restrict row, float weight, int64_t count, float* __restrict sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += static_cast<float>(row[i]) * weight;
}

template <int kChannels>
void NarrowRow(const float* row, const Weights& weights, uint8_t* narrow) {
  const float* weight = weights.weights.data();
  for (const int32_t begin : weights.begin) {
    const float* pixel = row + int64_t{begin} * kChannels;
    FourValues sums = {0.5F, 0.5F, 0.5F, 0.5F};
    for (int tap = 0; tap < weights.taps; ++tap, pixel += kChannels, ++weight) {
      FourValues values;
      std::memcpy(&values, pixel, sizeof values);
      sums += values * *weight;
    }
    for (int channel = 0; channel < kChannels; ++channel) {
      *narrow++ = static_cast<uint8_t>(std::min(static_cast<int>(sums[channel]), 255));
    }
  }
}

using NarrowRowFunction = void (*)(const float*, const Weights&, uint8_t*);

NarrowRowFunction NarrowRowOf(ImageMode mode) {
  switch (mode) {
    case ImageMode::kGray:
      return NarrowRow<1>;
    case ImageMode::kGrayAlpha:
      return NarrowRow<2>;
    case ImageMode::kColor:
      return NarrowRow<3>;
    case ImageMode::kColorAlpha:
      break;
  }
  return NarrowRow<4>;
}

void ResizeChannels(const Image& image, ImageSize size, uint8_t* pixels) {
  const Weights down = MakeWeights(image.picture_height, image.size.height, size.height);
  const Weights across = MakeWeights(image.picture_width, image.size.width, size.width);
  const NarrowRowFunction narrow = NarrowRowOf(image.mode);
  const int64_t row_bytes = image.row_bytes();
  std::vector<float> sums(static_cast<size_t>(row_bytes) + kSpareValues);
  const float* weight = down.weights.data();
  for (int32_t y = 0; y < size.height; ++y) {
    std::ranges::fill(sums, 0.0F);
    const int32_t begin = down.begin[static_cast<size_t>(y)];
    for (int tap = 0; tap < down.taps; ++tap, ++weight) {
      AddRow(image.row(begin + tap), *weight, row_bytes, sums.data());
    }
    narrow(sums.data(), across, pixels + int64_t{y} * size.width * ChannelsOf(image.mode));
  }
}

uint8_t Product(int one, int other) {
  const int rounded = one * other + 128;
  return static_cast<uint8_t>(((rounded >> 8) + rounded) >> 8);
}

/// Colours must count by their alpha, else what lies under transparent pixels shows at borders.
Result<Image> WithAlphaInColors(const Image& image) {
  PENSTOCK_TRY(Image multiplied, MakeImage(image.size.height, image.size.width, image.mode));
  multiplied.picture_height = image.picture_height;
  multiplied.picture_width = image.picture_width;
  const int channels = ChannelsOf(image.mode);
  const uint8_t* from = image.row(0);
  uint8_t* to = multiplied.row(0);
  for (int64_t i = 0; i < image.pixels->size(); i += channels) {
    const uint8_t alpha = from[i + channels - 1];
    for (int channel = 0; channel < channels - 1; ++channel) {
      to[i + channel] = Product(from[i + channel], alpha);
    }
    to[i + channels - 1] = alpha;
  }
  return multiplied;
}

void TakeAlphaFromColors(uint8_t* pixels, int64_t bytes, int channels) {
  for (uint8_t* pixel = pixels; pixel < pixels + bytes; pixel += channels) {
    const int alpha = pixel[channels - 1];
    if (alpha == 0 || alpha == 255) continue;
    for (int channel = 0; channel < channels - 1; ++channel) {
      pixel[channel] = static_cast<uint8_t>(std::min(255, 255 * pixel[channel] / alpha));
    }
  }
}

}  // namespace

Status ResizeImage(const Image& image, ImageSize size, uint8_t* pixels) {
  const int64_t bytes = int64_t{size.height} * size.width * ChannelsOf(image.mode);
  const bool whole =
      image.picture_height == image.size.height && image.picture_width == image.size.width;
  if (whole && size.height == image.size.height && size.width == image.size.width) {
    std::memcpy(pixels, image.row(0), static_cast<size_t>(bytes));
  } else if (HasAlpha(image.mode)) {
    PENSTOCK_TRY(const Image multiplied, WithAlphaInColors(image));
    ResizeChannels(multiplied, size, pixels);
    TakeAlphaFromColors(pixels, bytes, ChannelsOf(image.mode));
  } else {
    ResizeChannels(image, size, pixels);
  }
  return Status::OK();
}

}  // namespace penstock
