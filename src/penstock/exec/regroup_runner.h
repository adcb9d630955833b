#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"

namespace penstock {

/// Runs a regroup stage: joins pieces into one block on the native pool.
std::unique_ptr<StageRunner> MakeRegroupRunner(RunnerContext context);

}  // namespace penstock
