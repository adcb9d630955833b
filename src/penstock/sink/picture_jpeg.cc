#include <cstddef>
#include <cstdio>
// libjpeg's header needs what stands above.
#include <jpeglib.h>

#include <csetjmp>
#include <cstdlib>

#include "penstock/sink/picture.h"

namespace penstock {
namespace {

constexpr int kQuality = 75;

/// libjpeg leaves by a jump where it fails.
struct Failure {
  jpeg_error_mgr base;  // First: libjpeg knows this part alone.
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void JumpBack(j_common_ptr state) {
  auto* const failure = reinterpret_cast<Failure*>(state->err);
  failure->base.format_message(state, failure->message);
  std::longjmp(failure->back, 1);
}

void KeepQuiet(j_common_ptr state) {}

/// Returns whether it went well. Nothing in it has a destructor, as a jump would skip it.
bool Compress(const Picture& picture, jpeg_compress_struct* state, Failure* failure,
              unsigned char** bytes, unsigned long* size) {
  state->err = jpeg_std_error(&failure->base);
  failure->base.error_exit = JumpBack;
  failure->base.output_message = KeepQuiet;
  if (setjmp(failure->back) != 0) return false;
  jpeg_create_compress(state);
  jpeg_mem_dest(state, bytes, size);
  state->image_width = static_cast<JDIMENSION>(picture.width);
  state->image_height = static_cast<JDIMENSION>(picture.height);
  state->input_components = static_cast<int>(picture.channels);
  state->in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(state);
  jpeg_set_quality(state, kQuality, /*force_baseline=*/TRUE);
  jpeg_start_compress(state, /*write_all_tables=*/TRUE);
  const auto* const samples = reinterpret_cast<const unsigned char*>(picture.samples.data());
  while (state->next_scanline < state->image_height) {
    const auto offset =
        static_cast<int64_t>(state->next_scanline) * picture.width * picture.channels;
    auto* line = const_cast<JSAMPLE*>(samples + offset);
    jpeg_write_scanlines(state, &line, 1);
  }
  jpeg_finish_compress(state);
  return true;
}

}  // namespace

Result<std::string> EncodeJpeg(const Picture& picture) {
  if (picture.channels == 4) {
    return Status::Invalid("JPEG has no transparency; drop the fourth channel, or write png");
  }
  if (picture.width > JPEG_MAX_DIMENSION || picture.height > JPEG_MAX_DIMENSION) {
    return Status::Invalid("a JPEG has at most ", JPEG_MAX_DIMENSION,
                           " points a side; got: ", picture.height, " × ", picture.width);
  }
  jpeg_compress_struct state{};
  Failure failure{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool done = Compress(picture, &state, &failure, &bytes, &size);
  jpeg_destroy_compress(&state);
  std::string jpeg(reinterpret_cast<const char*>(bytes), done ? size : 0);
  std::free(bytes);
  if (done) return jpeg;
  return Status::IOError("a picture cannot be encoded as JPEG: ", failure.message);
}

}  // namespace penstock
