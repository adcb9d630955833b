#include "penstock/source/image.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "source/image_samples.h"
#include "source/source_testing.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT: the samples.

Result<Image> Decode(std::string_view bytes, const ImageWish& wish = {}) {
  // A copy of its own, so that reading past the end can be seen.
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  return DecodeImage(copy, wish);
}

std::string BigEndian(uint32_t number) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text.push_back(static_cast<char>(number >> shift));
  return text;
}

TEST(ImageTest, EveryFormatYieldsThePicture) {
  for (const ImageSample& sample : kImageSamples) {
    auto image = Decode(sample.bytes);
    ASSERT_TRUE(image.ok()) << sample.name << ": " << image.status().ToString();
    ASSERT_EQ(image->size.height, 6) << sample.name;
    ASSERT_EQ(image->size.width, 8) << sample.name;
    const Image colors = *ConvertImage(image.MoveValueUnsafe(), ImageMode::kColor);
    const bool lossy = sample.name == "Jpeg" || sample.name == "ProgressiveJpeg";
    const int tolerance = sample.name == "ProgressiveJpeg" ? 90 : lossy ? 45 : 0;
    for (int y = 0; y < 6; ++y) {
      for (int x = 0; x < 8; ++x) {
        const int wanted[] = {x * 36, y * 50, (x + y) * 18};
        for (int channel = 0; channel < 3; ++channel) {
          EXPECT_NEAR(colors.row(y)[x * 3 + channel], wanted[channel], tolerance)
              << sample.name << " at " << x << ", " << y;
        }
      }
    }
  }
}

TEST(ImageTest, EveryTruncationFailsOrYieldsAWholePicture) {
  for (const ImageSample& sample : kImageSamples) {
    for (size_t length = 0; length < sample.bytes.size(); ++length) {
      const auto image = Decode(sample.bytes.substr(0, length));
      if (image.ok()) {
        // Nothing but what comes after the pixels may be missing.
        EXPECT_GT(length * 10, sample.bytes.size() * 5) << sample.name << " cut at " << length;
        const auto whole = Decode(sample.bytes);
        EXPECT_TRUE(image->pixels->Equals(*whole->pixels)) << sample.name << " cut at " << length;
      }
    }
  }
}

TEST(ImageTest, FlippedBitsNeverCrash) {
  std::mt19937 random(7);
  for (const ImageSample& sample : kImageSamples) {
    for (int round = 0; round < 300; ++round) {
      std::string bytes(sample.bytes);
      for (uint32_t flips = 1 + random() % 4; flips > 0; --flips) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      }
      const auto image = Decode(bytes, {.size = ImageSize{.height = 2, .width = 2}});
      if (image.ok()) {
        uint8_t pixels[2 * 2 * 4];
        EXPECT_TRUE(ResizeImage(*image, {.height = 2, .width = 2}, pixels).ok());
      }
    }
  }
}

TEST(ImageTest, AHeaderOfAHugePictureIsRefusedAtOnce) {
  std::string png(kPng);
  png.replace(16, 8, BigEndian(60'000) + BigEndian(60'000));
  // The check sum of the header is wrong now too; a right one is that of these very bytes.
  const Status status = Decode(png).status();
  EXPECT_FALSE(status.ok());
  std::string gif(kGif);
  gif.replace(6, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_THAT(Decode(gif).status().message(), HasSubstr("too large"));
  std::string bmp(kBmp);
  bmp.replace(18, 8, "\xFF\xFF\xFF\x7F\xFF\xFF\xFF\x7F");
  EXPECT_THAT(Decode(bmp).status().message(), HasSubstr("too large"));
  std::string jpeg(kJpeg);
  const size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  EXPECT_THAT(Decode(jpeg).status().message(), HasSubstr("too large"));
}

TEST(ImageTest, OtherBytesAreNotAnImage) {
  EXPECT_THAT(Decode("").status().message(), HasSubstr("does not begin"));
  EXPECT_THAT(Decode("hello, world").status().message(), HasSubstr("does not begin"));
}

TEST(ImageTest, AModeIsNamedAsPillowNamesIt) {
  EXPECT_EQ(*ImageModeOf("RGB"), ImageMode::kColor);
  EXPECT_THAT(ImageModeOf("HSV").status().message(), HasSubstr("L, LA, RGB or RGBA"));
}

TEST(ImageTest, GrayIsLumaAndColoursAreGrayRepeated) {
  Image image = *MakeImage(1, 2, ImageMode::kColor);
  const uint8_t colors[] = {255, 0, 0, 10, 20, 30};
  std::copy(std::begin(colors), std::end(colors), image.row(0));
  const Image gray = *ConvertImage(std::move(image), ImageMode::kGray);
  EXPECT_EQ(gray.row(0)[0], 76);
  EXPECT_EQ(gray.row(0)[1], 18);
}

TEST(ImageTest, AResizedPictureIsTheMeanOfWhatItCovers) {
  Image image = *MakeImage(4, 4, ImageMode::kGray);
  for (int i = 0; i < 16; ++i) image.row(0)[i] = i / 4 < 2 ? 100 : 200;
  uint8_t pixels[4];
  ASSERT_TRUE(ResizeImage(image, {.height = 2, .width = 2}, pixels).ok());
  EXPECT_EQ(pixels[0], pixels[1]);
  EXPECT_NEAR(pixels[0], 114, 1);
  EXPECT_NEAR(pixels[2], 186, 1);
}

/// A value of the resized picture, from all pixels of the picture: slow, but plain.
double ValueBySum(const Image& image, ImageSize size, int y, int x, int channel) {
  const auto weight = [](double center, double support, int pixel) {
    return std::max(0.0, 1.0 - std::abs((pixel + 0.5 - center) / support));
  };
  const double down = static_cast<double>(image.size.height) / size.height;
  const double across = static_cast<double>(image.size.width) / size.width;
  double sum = 0;
  double weights = 0;
  for (int row = 0; row < image.size.height; ++row) {
    const double of_row = weight((y + 0.5) * down, std::max(down, 1.0), row);
    for (int column = 0; column < image.size.width; ++column) {
      const double of_pixel = of_row * weight((x + 0.5) * across, std::max(across, 1.0), column);
      sum += of_pixel * image.row(row)[column * ChannelsOf(image.mode) + channel];
      weights += of_pixel;
    }
  }
  return sum / weights;
}

TEST(ImageTest, EveryPixelIsTheWeightedMeanInEveryModeAndSize) {
  std::mt19937 random(11);
  const ImageSize sizes[] = {{1, 1}, {2, 3}, {5, 8}, {7, 13}, {23, 9}, {9, 31}};
  for (const ImageMode mode : {ImageMode::kGray, ImageMode::kColor}) {
    for (const ImageSize from : sizes) {
      Image image = *MakeImage(from.height, from.width, mode);
      for (int64_t i = 0; i < image.pixels->size(); ++i) {
        image.row(0)[i] = static_cast<uint8_t>(random());
      }
      for (const ImageSize to : sizes) {
        std::vector<uint8_t> pixels(static_cast<size_t>(to.height) * static_cast<size_t>(to.width) *
                                    static_cast<size_t>(ChannelsOf(mode)));
        ASSERT_TRUE(ResizeImage(image, to, pixels.data()).ok());
        const uint8_t* pixel = pixels.data();
        for (int y = 0; y < to.height; ++y) {
          for (int x = 0; x < to.width; ++x) {
            for (int channel = 0; channel < ChannelsOf(mode); ++channel) {
              ASSERT_NEAR(*pixel++, ValueBySum(image, to, y, x, channel), 0.51)
                  << from.width << " x " << from.height << " to " << to.width << " x " << to.height
                  << " at " << x << ", " << y;
            }
          }
        }
      }
    }
  }
}

TEST(ImageTest, WhatLiesUnderTransparentPixelsDoesNotShow) {
  Image image = *MakeImage(1, 2, ImageMode::kColorAlpha);
  const uint8_t colors[] = {200, 0, 0, 255, 0, 255, 0, 0};
  std::copy(std::begin(colors), std::end(colors), image.row(0));
  uint8_t pixel[4];
  ASSERT_TRUE(ResizeImage(image, {.height = 1, .width = 1}, pixel).ok());
  EXPECT_NEAR(pixel[0], 200, 2);
  EXPECT_EQ(pixel[1], 0);
  EXPECT_NEAR(pixel[3], 128, 1);
}

}  // namespace
}  // namespace penstock
