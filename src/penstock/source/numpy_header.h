#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// What the header of an .npy file says.
struct NumpyHeader {
  std::shared_ptr<arrow::DataType> type;  // Of one value.
  std::string dtype;                      // What NumPy calls it: "<i8".
  int64_t value_bytes = 0;
  int64_t unit_factor = 1;     // What times are to be multiplied by for the unit of `type`.
  bool swapped = false;        // Values are big-endian.
  bool fortran_order = false;  // The first index runs fastest.
  std::vector<int64_t> shape;  // At least one dimension.
  int64_t value_count = 0;
  int64_t data_begin = 0;  // Where in the file the values begin.
};

/// Reads the header; whole file in `file`, which must hold exactly the values that the header
/// tells of. Booleans, integers, floats, times, and text and bytes of one width (utf8 and binary)
/// are known; NotImplemented for other good arrays, saying what they are, Invalid for all else.
Result<NumpyHeader> ReadNumpyHeader(std::string_view file);

}  // namespace penstock
