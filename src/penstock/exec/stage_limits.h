#pragma once

#include <memory>
#include <span>
#include <vector>

#include "penstock/exec/dispatcher.h"
#include "penstock/plan/physical.h"
#include "penstock/sink/sink.h"
#include "penstock/source/source.h"

namespace penstock {

/// Tells the dispatcher what it must know of each stage. Reads row counts from metadata where a
/// regroup stage needs them and they are to be had. `sources`: by stage, null for those that do not
/// read. `sink` is null for plans that do not write. `commits_chunks`: where the plan keeps each
/// chunk's rows to itself, chunks are committed as they are done. `job` says what all stages share;
/// its resources are those that the other LimitsOf returned.
Result<std::vector<StageLimits>> LimitsOf(const PhysicalPlan& plan,
                                          std::span<const std::unique_ptr<Source>> sources,
                                          const Sink* sink, bool commits_chunks,
                                          const ReadLimits& read, const DispatcherLimits& job);

/// Names what workers may ask for, and how much there is of each.
std::vector<ResourceLimit> LimitsOf(const MachineResources& machine);

}  // namespace penstock
