#include "fuzzing.h"
#include "penstock/source/numpy_header.h"

/// The header of .npy files.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  const auto header = ReadNumpyHeader({reinterpret_cast<const char*>(data), size});
  if (!header.ok()) return 0;
  Require(header->type != nullptr && header->value_bytes > 0, "the values have a type");
  Require(header->data_begin > 0 && header->data_begin <= static_cast<int64_t>(size),
          "the values begin in the file");
  Require(
      header->data_begin + header->value_count * header->value_bytes == static_cast<int64_t>(size),
      "the file holds exactly the values");
  Require(!header->shape.empty(), "the array has rows");
  int64_t values = 1;
  for (const int64_t extent : header->shape) {
    Require(extent >= 0, "extents are counts");
    values *= extent;
  }
  Require(values == header->value_count, "the shape tells the number of values");
  return 0;
}
