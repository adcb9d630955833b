#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/source.h"

namespace penstock {

/// Opens one of several parts of a split.
using OpenPart = std::function<Result<std::unique_ptr<SplitReader>>()>;

/// Makes a reader of parts, one after the other, all of one schema; at least one. Small batches of
/// neighbours become one of about `block_bytes`. Reads no more parts than `rows_max` rows need.
std::unique_ptr<SplitReader> MakeJoinedReader(std::vector<OpenPart> parts, int64_t rows_max,
                                              int64_t block_bytes);

/// Cuts pieces of these sizes into `count` runs of about one size, each of a piece at least: run i
/// lies between the borders i and i + 1. As many runs as there are pieces where there are fewer.
std::vector<int64_t> RunBorders(const std::vector<int64_t>& bytes, int64_t count);

}  // namespace penstock
