#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "penstock/block/layout.h"

namespace penstock::python {

namespace nb = nanobind;

/// A buffer on its way into a segment; null data stands for an absent one.
struct BufferSlice {
  const uint8_t* data = nullptr;
  int64_t bytes = 0;
  bool absent = false;
};

/// An Arrow array as the layout wants it: depth first, every array from offset 0 on.
struct ArrowColumn {
  ColumnKind kind = ColumnKind::kOther;
  int64_t rows = 0;
  std::vector<int64_t> shape;
  std::vector<NodeEntry> nodes;
  std::vector<BufferSlice> buffers;
  std::deque<std::string> owned;  // Buffers that had to be made anew; the deque keeps addresses.
  nb::object array_capsule;       // Keeps the other buffers.
};

/// Takes the two capsules of __arrow_c_array__. Copies bitmaps and offsets where a slice demands
/// it, data never. Throws std::invalid_argument for types that it cannot slice (views, run-end
/// encoded arrays).
ArrowColumn ImportArrow(nb::handle schema_capsule, nb::handle array_capsule);

}  // namespace penstock::python
