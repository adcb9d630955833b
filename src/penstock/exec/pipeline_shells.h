#pragma once

#include <memory>

#include "penstock/exec/pipeline.h"

namespace penstock {

/// Returns a job whose output is there already and is to be left alone: it has ended well.
std::unique_ptr<Pipeline> MakeSkippedPipeline();

/// Returns the job as only the process that started it may drive and destroy it: in a fork of that
/// process the job's threads are not there, and its workers and files are not the fork's.
std::unique_ptr<Pipeline> OwnedByThisProcess(std::unique_ptr<Pipeline> running);

}  // namespace penstock
