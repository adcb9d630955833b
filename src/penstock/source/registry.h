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
Result<std::unique_ptr<Source>> MakeRangeSource(const ReadOp& read, const ReadLimits& limits,
                                                int parallelism);
Result<std::unique_ptr<Source>> MakeRangeTensorSource(const ReadOp& read, const ReadLimits& limits,
                                                      int parallelism);
Result<std::unique_ptr<Source>> MakeMemorySource(const ReadOp& read, const ReadLimits& limits,
                                                 int parallelism);

}  // namespace penstock
