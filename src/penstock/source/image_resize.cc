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

/// A pixel has room for four values; with fewer channels the last ones are the next pixel's.
constexpr int kPixelValues = 4;
using PixelValues = float __attribute__((vector_size(16)));

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

/// Adds the weighted values of two rows.
PENSTOCK_FOR_NEWER_PROCESSORS
void AddRows(const uint8_t* __restrict row, const uint8_t* __restrict next, const float* weights,
             int64_t count, float* __restrict sums) {
  const float weight = weights[0];
  const float next_weight = weights[1];
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += static_cast<float>(row[i]) * weight + static_cast<float>(next[i]) * next_weight;
  }
}

/// Writes kPixelValues for each pixel, the later over the earlier.
template <int kChannels>
PENSTOCK_FOR_NEWER_PROCESSORS void NarrowRow(const float* row, const Weights& weights,
                                             float* narrow) {
  const float* weight = weights.weights.data();
  for (const int32_t begin : weights.begin) {
    const float* pixel = row + int64_t{begin} * kChannels;
    PixelValues sum = {};
    for (int tap = 0; tap < weights.taps; ++tap, pixel += kChannels, ++weight) {
      PixelValues values;
      std::memcpy(&values, pixel, sizeof values);
      sum += values * *weight;
    }
    std::memcpy(narrow, &sum, sizeof sum);
    narrow += kChannels;
  }
}

PENSTOCK_FOR_NEWER_PROCESSORS
void ToBytes(const float* __restrict values, int64_t count, uint8_t* __restrict bytes) {
  for (int64_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<uint8_t>(std::min(static_cast<int>(values[i] + 0.5F), 255));
  }
}

using NarrowRowFunction = void (*)(const float*, const Weights&, float*);

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
  const int64_t count = int64_t{size.width} * ChannelsOf(image.mode);
  const int64_t row_bytes = image.row_bytes();
  std::vector<float> sums(static_cast<size_t>(row_bytes) + kPixelValues);
  std::vector<float> row(static_cast<size_t>(count) + kPixelValues);
  const float* weight = down.weights.data();
  for (int32_t y = 0; y < size.height; ++y, weight += down.taps) {
    std::ranges::fill(sums, 0.0F);
    const int32_t begin = down.begin[static_cast<size_t>(y)];
    for (int tap = 0; tap < down.taps; tap += 2) {
      const bool odd = tap + 1 == down.taps;
      const float weights[] = {weight[tap], odd ? 0.0F : weight[tap + 1]};
      AddRows(image.row(begin + tap), image.row(begin + tap + (odd ? 0 : 1)), weights, row_bytes,
              sums.data());
    }
    narrow(sums.data(), across, row.data());
    ToBytes(row.data(), count, pixels + y * count);
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
