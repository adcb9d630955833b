#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// A picture's samples: one byte each, rows from the top, 1 (grey), 3 (RGB) or 4 (RGBA) a point.
struct Picture {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::string samples;
};

/// Whether PictureAt may find pictures in columns of a type; Invalid saying what it takes.
Status CheckPictureType(const arrow::DataType& type);

/// Returns the picture in a row: of a tensor or of nested lists of bytes (uint8), height × width or
/// height × width × channels; of a struct of `data` and `shape`, as tensors of differing shapes
/// are stored. Invalid for any other shape, and for null.
Result<Picture> PictureAt(const arrow::Array& column, int64_t row);

/// Encodes as PNG, without loss.
Result<std::string> EncodePng(const Picture& picture);

/// Encodes as BMP, without loss; grey as grey, RGBA with its transparency.
Result<std::string> EncodeBmp(const Picture& picture);

/// Encodes as JPEG, with loss (quality 75, colours at half the resolution). Invalid for RGBA.
Result<std::string> EncodeJpeg(const Picture& picture);

/// Encodes as WebP, with loss (quality 80); grey as RGB of equal channels. Invalid for more than
/// 16,383 points a side.
Result<std::string> EncodeWebp(const Picture& picture);

/// Encodes as TIFF of one strip, without loss and without compression.
Result<std::string> EncodeTiff(const Picture& picture);

/// Returns the encoder of a file extension: png, bmp, jpg, jpeg, webp, tif or tiff; null for any
/// other.
using EncodePicture = Result<std::string> (*)(const Picture&);
EncodePicture PictureEncoderOf(std::string_view extension);

}  // namespace penstock
