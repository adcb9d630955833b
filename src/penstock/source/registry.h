#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/source/source.h"

/// The readers' factories, one a kind; registry.cc gives each its name and traits. All refuse
/// options that they do not know.
namespace penstock {

Result<std::unique_ptr<Source>> MakeParquetSource(const ReadOp& read, const ReadLimits& limits,
                                                  int parallelism);
Result<std::unique_ptr<Source>> MakeCsvSource(const ReadOp& read, const ReadLimits& limits,
                                              int parallelism);
Result<std::unique_ptr<Source>> MakeJsonSource(const ReadOp& read, const ReadLimits& limits,
                                               int parallelism);
Result<std::unique_ptr<Source>> MakeLineSource(const ReadOp& read, const ReadLimits& limits,
                                               int parallelism);
Result<std::unique_ptr<Source>> MakeOrcSource(const ReadOp& read, const ReadLimits& limits,
                                              int parallelism);
Result<std::unique_ptr<Source>> MakeIpcSource(const ReadOp& read, const ReadLimits& limits,
                                              int parallelism);
Result<std::unique_ptr<Source>> MakeRangeSource(const ReadOp& read, const ReadLimits& limits,
                                                int parallelism);
Result<std::unique_ptr<Source>> MakeRangeTensorSource(const ReadOp& read, const ReadLimits& limits,
                                                      int parallelism);
Result<std::unique_ptr<Source>> MakeMemorySource(const ReadOp& read, const ReadLimits& limits,
                                                 int parallelism);

Result<std::unique_ptr<Source>> MakeBinaryFilesSource(const ReadOp& read, const ReadLimits& limits,
                                                      int parallelism);
Result<std::unique_ptr<Source>> MakeNumpySource(const ReadOp& read, const ReadLimits& limits,
                                                int parallelism);
Result<std::unique_ptr<Source>> MakeImagesSource(const ReadOp& read, const ReadLimits& limits,
                                                 int parallelism);
Result<std::unique_ptr<Source>> MakeTfrecordSource(const ReadOp& read, const ReadLimits& limits,
                                                   int parallelism);
Result<std::unique_ptr<Source>> MakeWebdatasetSource(const ReadOp& read, const ReadLimits& limits,
                                                     int parallelism);

/// Wraps a source so that its splits come in an order drawn from `seed`, numbered anew. Lists all
/// of them with the first NextSplits, and holds them: about 200 bytes each.
std::unique_ptr<Source> MakeShuffledSource(std::unique_ptr<Source> source, int64_t seed,
                                           const ReadLimits& limits);

}  // namespace penstock
