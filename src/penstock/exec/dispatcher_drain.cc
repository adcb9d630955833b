// A job that is to end soon keeps what it has begun: see "Draining" in dispatcher.h.
#include <algorithm>

#include "penstock/base/error.h"
#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

Status Drained() {
  return MakeError(ErrorKind::kDrained,
                   "The job was stopped before its end; run it again, and it goes on from what it "
                   "has committed");
}

}  // namespace

void StateMachine::Apply(const Drain& event) {
  if (!commits()) return Apply(Cancel{});
  draining_ = true;
}

/// Whether what the stage would start next is of a chunk that a draining job does not begin with.
bool StateMachine::IsGivenUp(const StageState& stage) const {
  if (!draining_) return false;
  if (stage.runs_functions()) {
    return stage.has_gathered() &&
           !stage.chunks_begun.contains(stage.tasks[stage.next_start - stage.first_task].chunk);
  }
  if (stage.limits.role != StageRole::kRead || stage.splits.empty()) return false;
  const int64_t chunk = stage.splits.front().chunk;
  for (const StageState* after = &stage; after->place.consumer >= 0; after = &next(*after)) {
    if (after->runs_functions()) return !after->chunks_begun.contains(chunk);
  }
  return stage.last_chunk_started != chunk;
}

/// Whether a draining job leaves something undone: then its end is not the job's.
bool StateMachine::GivesUp() const {
  return gives_up_ || (draining_ && std::ranges::any_of(stages_, [this](const auto& stage) {
                         return IsGivenUp(*stage);
                       }));
}

/// Ends the input of reads that have come to the end of a chunk.
void StateMachine::GiveUpReads() {
  if (!draining_) return;
  for (const auto& stage : stages_) {
    if (stage->limits.role != StageRole::kRead) continue;
    const bool all_begun = stage->input_ended && stage->splits.empty();
    if (all_begun || (!IsGivenUp(*stage) && stage->last_chunk_started)) continue;
    stage->splits.clear();
    stage->input_ended = true;
    gives_up_ = true;
  }
}

/// Commits what is done but for that, and ends the job, which nothing can bring further.
void StateMachine::EndDrained() {
  if (!commits_.has_some()) return End(Drained());
  committing_ = true;
  actions_.push_back(commits_.Take(counts_filtered_));
}

}  // namespace penstock::dispatch
