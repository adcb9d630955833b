#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <string>

// These need <cstdio> before them.
#include <jerror.h>
#include <jpeglib.h>

#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

constexpr int kScansMax = 500;   // More make a decoder work for minutes on a few bytes.
constexpr int kScaledByMin = 2;  // At least so many pixels each way are left for one of the wish.

/// Whether a warning means that pixels are missing or made up.
bool LosesPixels(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_JPEG_EOF ||
         code == JWRN_MUST_RESYNC;
}

/// Drives libjpeg, whose errors jump: back into the method of this class that called it, none of
/// which holds anything that needs a destructor.
class JpegReader {
 public:
  explicit JpegReader(ImageBytes bytes) : bytes_(bytes) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr jpeg) { Of(jpeg).Fail(); };
    errors_.emit_message = [](j_common_ptr jpeg, int level) {
      if (level < 0 && LosesPixels(jpeg->err->msg_code)) Of(jpeg).Fail();
    };
    errors_.output_message = [](j_common_ptr /*jpeg*/) {};
    jpeg_.client_data = this;
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool ReadHeader() {
    if (setjmp(failed_) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    progress_.progress_monitor = [](j_common_ptr jpeg) { Of(jpeg).CheckScans(); };
    jpeg_.progress = &progress_;
    jpeg_mem_src(&jpeg_, bytes_.data(), bytes_.size());
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }

  bool Start(const ImageWish& wish) {
    if (setjmp(failed_) != 0) return false;
    if (wish.size) jpeg_.scale_denom = Denominator(*wish.size);
    if (jpeg_.num_components == 4) {
      jpeg_.out_color_space = JCS_CMYK;
    } else if (jpeg_.num_components == 1 || WantsGray(wish)) {
      jpeg_.out_color_space = JCS_GRAYSCALE;
    } else {
      jpeg_.out_color_space = JCS_RGB;
    }
    jpeg_start_decompress(&jpeg_);
    return true;
  }

  /// Decodes all rows, each into `row` moved on by `row_bytes`.
  bool ReadRows(uint8_t* row, int64_t row_bytes) {
    if (setjmp(failed_) != 0) return false;
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW next = row + row_bytes * jpeg_.output_scanline;
      jpeg_read_scanlines(&jpeg_, &next, 1);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  Status Failure() const { return Status::Invalid(message_); }
  const jpeg_decompress_struct& jpeg() const { return jpeg_; }

 private:
  static JpegReader& Of(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }

  [[noreturn]] void Fail() {
    errors_.format_message(reinterpret_cast<j_common_ptr>(&jpeg_), message_);
    std::longjmp(failed_, 1);
  }

  void CheckScans() {
    if (jpeg_.input_scan_number <= kScansMax) return;
    std::snprintf(message_, sizeof message_, "more scans than %d", kScansMax);
    std::longjmp(failed_, 1);
  }

  bool WantsGray(const ImageWish& wish) const {
    return wish.mode == ImageMode::kGray && jpeg_.jpeg_color_space == JCS_YCbCr;
  }

  unsigned Denominator(ImageSize wish) const {
    for (const int64_t by : {8, 4, 2}) {
      if (jpeg_.image_height >= by * wish.height * kScaledByMin &&
          jpeg_.image_width >= by * wish.width * kScaledByMin) {
        return static_cast<unsigned>(by);
      }
    }
    return 1;
  }

  const ImageBytes bytes_;
  jpeg_decompress_struct jpeg_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf failed_ = {};
  char message_[JMSG_LENGTH_MAX] = {};
};

/// Brings the four inks of a pixel, kept inverted as Adobe does, to three colours.
void ColorsOfInks(const uint8_t* inks, uint8_t* colors, int64_t count) {
  for (int64_t i = 0; i < count; ++i, inks += 4, colors += 3) {
    for (int channel = 0; channel < 3; ++channel) {
      const int rounded = inks[channel] * inks[3] + 128;
      colors[channel] = static_cast<uint8_t>(((rounded >> 8) + rounded) >> 8);
    }
  }
}

}  // namespace

Result<Image> DecodeJpeg(ImageBytes bytes, const ImageWish& wish) {
  JpegReader reader(bytes);
  if (!reader.ReadHeader()) return reader.Failure();
  PENSTOCK_RETURN_NOT_OK(CheckImageSize(reader.jpeg().image_height, reader.jpeg().image_width));
  if (!reader.Start(wish)) return reader.Failure();
  const jpeg_decompress_struct& jpeg = reader.jpeg();
  const bool inks = jpeg.output_components == 4;
  const auto mode = jpeg.output_components == 1 ? ImageMode::kGray
                    : inks                      ? ImageMode::kColorAlpha
                                                : ImageMode::kColor;
  PENSTOCK_TRY(Image image, MakeImage(jpeg.output_height, jpeg.output_width, mode));
  if (!reader.ReadRows(image.row(0), image.row_bytes())) return reader.Failure();
  if (inks) {
    PENSTOCK_TRY(Image colors, MakeImage(jpeg.output_height, jpeg.output_width, ImageMode::kColor));
    ColorsOfInks(image.row(0), colors.row(0), int64_t{jpeg.output_height} * jpeg.output_width);
    image = std::move(colors);
  }
  image.picture_height = static_cast<double>(jpeg.image_height) / jpeg.scale_denom;
  image.picture_width = static_cast<double>(jpeg.image_width) / jpeg.scale_denom;
  return image;
}

}  // namespace penstock
