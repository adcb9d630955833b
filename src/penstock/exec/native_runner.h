#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"

namespace penstock {

/// Makes the runner of a stage of C++ functions. Each batch that runs at once has a function of its
/// own, made when it is first needed and kept for the stage's life. What a function returns or
/// throws as an error ends the job with kUserFunction, naming the stage and the first row.
std::unique_ptr<StageRunner> MakeNativeRunner(RunnerContext context);

}  // namespace penstock
