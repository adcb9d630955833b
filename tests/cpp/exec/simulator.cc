#include "exec/simulator.h"

#include "exec/simulated_world.h"

namespace penstock {

SimulationResult Simulate(const SimulatedJob& job) {
  SimulatedWorld world(job);
  world.Run();
  SimulationResult result{.violation = world.violation(), .events = world.events()};
  result.finished_well = world.finish() && world.finish()->ok();
  result.budget_refused =
      world.finish() && world.finish()->code() == arrow::StatusCode::OutOfMemory;
  return result;
}

}  // namespace penstock
