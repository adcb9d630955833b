#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"

namespace penstock {

/// Makes the runner of a zip stage: each task puts the same rows of all inputs side by side. The
/// lineage is the first input's.
std::unique_ptr<StageRunner> MakeZipRunner(RunnerContext context);

}  // namespace penstock
