#pragma once

#include <arrow/array/data.h>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/packed.h"

namespace penstock {

/// How far the offsets of text, binary and lists reach.
inline constexpr int64_t kOffsetMax = std::numeric_limits<int32_t>::max();

/// Rows [first, first + rows) of an array, counted from the start of its buffers.
struct ArrayRange {
  const arrow::ArrayData* array = nullptr;
  int64_t first = 0;
  int64_t rows = 0;
};

/// Returns `type`, or the large type (large_utf8, large_binary, large_list, and so inside of lists
/// and structs) where the ranges' values together reach beyond `offset_max`. Maps, dictionaries,
/// unions and extension types have no such form and stay what they are.
std::shared_ptr<arrow::DataType> WideType(const std::shared_ptr<arrow::DataType>& type,
                                          std::span<const ArrayRange> ranges,
                                          int64_t offset_max = kOffsetMax);

/// Returns pieces that can be joined into one batch: those of one schema that are given, with the
/// columns of WideType where they do not fit together otherwise; nothing where they do.
Result<std::vector<Piece>> WidenPieces(std::span<const Piece> pieces,
                                       int64_t offset_max = kOffsetMax);

}  // namespace penstock
