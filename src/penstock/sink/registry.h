#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/sink/sink.h"

/// The writers' factories, one a kind; registry.cc gives each its name. All refuse options that
/// they do not know.
namespace penstock {

Result<std::unique_ptr<Sink>> MakeParquetSink(const WriteOp& write);

}  // namespace penstock
