#pragma once

#include <string>

#include "penstock/plan/logical.h"

namespace penstock {

/// Packs what a worker needs to build its functions:
///   "PENSETUP" | uint32 header bytes (little-endian) | JSON header | payloads, one after the other
/// The header is {"stage": name, "functions": [{"name", "kind", "keeps_rows", "bytes"}, …]}, kinds
/// "batches", "row", "flat_row" and "filter_row".
std::string PackWorkerSetup(const std::string& stage, const FunctionsOp& functions);

}  // namespace penstock
