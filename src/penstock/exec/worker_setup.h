#pragma once

#include <string>

#include "penstock/exec/dispatcher.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/worker/host.h"

namespace penstock {

/// Packs what a worker needs to build its functions:
///   "PENSETUP" | uint32 header bytes (little-endian) | JSON header | payloads, one after the other
/// The header is {"stage": name, "functions": [{"name", "kind", "keeps_rows", "bytes"}, …]}, kinds
/// "batches", "row", "flat_row" and "filter_row".
std::string PackWorkerSetup(const std::string& stage, const FunctionsOp& functions);

/// Returns `command`, by which all workers are started, for one of a stage: with the pool that it
/// is of, its name, what it shares with others, and its environment, in which native threads are
/// its share of the machine's `processors`, which are real ones, unless the user says otherwise.
WorkerCommand CommandFor(WorkerCommand command, const Stage& stage, StageIndex pool,
                         WorkerIndex worker, int processors);

}  // namespace penstock
