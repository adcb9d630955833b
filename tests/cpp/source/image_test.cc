#include "penstock/source/image.h"

#include <random>

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
