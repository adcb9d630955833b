#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "penstock/source/image_decoders.h"

namespace penstock {
namespace {

constexpr png_alloc_size_t kTextBytesMax = 1 << 20;

/// Drives libpng, whose errors jump: back into the method of this class that called it, none of
/// which holds anything that needs a destructor.
class PngReader {
 public:
  explicit PngReader(ImageBytes bytes) : left_(bytes) {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool ReadHeader() {
    if (setjmp(failed_) != 0) return false;
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this,
        [](png_structp png, png_const_charp text) {
          static_cast<PngReader*>(png_get_error_ptr(png))->Fail(text);
        },
        [](png_structp /*png*/, png_const_charp /*text*/) {});
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) Fail("out of memory");
    png_set_read_fn(png_, this, [](png_structp png, png_bytep to, size_t count) {
      static_cast<PngReader*>(png_get_io_ptr(png))->Read(to, count);
    });
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // DecodePng checks the size.
    png_set_chunk_malloc_max(png_, kTextBytesMax);
    png_read_info(png_, info_);
    return true;
  }

  bool Start(bool alpha_wanted) {
    if (setjmp(failed_) != 0) return false;
    const int type = png_get_color_type(png_, info_);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    const bool transparent = png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
    if (transparent && (alpha_wanted || type == PNG_COLOR_TYPE_PALETTE)) {
      png_set_tRNS_to_alpha(png_);
    }
    png_set_strip_16(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool ReadRows(png_bytepp rows) {
    if (setjmp(failed_) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int channels() const { return png_get_channels(png_, info_); }
  Status Failure() const { return Status::Invalid(message_); }

 private:
  [[noreturn]] void Fail(const char* text) {
    std::snprintf(message_, sizeof message_, "%s", text);
    std::longjmp(failed_, 1);
  }

  void Read(uint8_t* to, size_t count) {
    if (count > left_.size()) Fail("the file ends too early");
    std::memcpy(to, left_.data(), count);
    left_ = left_.subspan(count);
  }

  ImageBytes left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf failed_ = {};
  char message_[256] = {};
};

}  // namespace

Result<Image> DecodePng(ImageBytes bytes, const ImageWish& wish) {
  PngReader reader(bytes);
  if (!reader.ReadHeader()) return reader.Failure();
  PENSTOCK_RETURN_NOT_OK(CheckImageSize(reader.height(), reader.width()));
  if (!reader.Start(wish.mode && HasAlpha(*wish.mode))) return reader.Failure();
  PENSTOCK_TRY(Image image, MakeImage(reader.height(), reader.width(),
                                      static_cast<ImageMode>(reader.channels())));
  std::vector<png_bytep> rows;
  for (int32_t y = 0; y < image.size.height; ++y) rows.push_back(image.row(y));
  if (!reader.ReadRows(rows.data())) return reader.Failure();
  return image;
}

}  // namespace penstock
