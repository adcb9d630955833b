#include "penstock/exec/dispatch_loop.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

namespace penstock {
namespace {

/// How often the dispatcher is told that time has passed.
constexpr std::chrono::milliseconds kTick{50};

/// How often a thread looks for what others posted during its turn, before it leaves that to the
/// loop's.
constexpr int kQuickTurnsMax = 4;

int64_t NowNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool IsQuick(const Action& action) {
  return std::holds_alternative<StartTask>(action) || std::holds_alternative<StepTask>(action) ||
         std::holds_alternative<AbandonTask>(action) || std::holds_alternative<DropBlock>(action) ||
         std::holds_alternative<EmitBlock>(action);
}

DispatchLoop::DispatchLoop(EventQueue& events, std::unique_ptr<Dispatcher> dispatcher,
                           ActionHands& hands)
    : events_(events), hands_(hands), dispatcher_(std::move(dispatcher)) {}

void DispatchLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void DispatchLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

Snapshot DispatchLoop::TakeSnapshot() const {
  MutexLock lock(mutex_);
  return dispatcher_->TakeSnapshot(NowNanoseconds());
}

void DispatchLoop::Run() {
  {
    MutexLock turn(turn_);
    std::vector<Action> actions;
    {
      MutexLock lock(mutex_);
      actions = dispatcher_->Start(NowNanoseconds());
    }
    if (!CarryOutAll(actions)) return;
  }
  auto ticked = std::chrono::steady_clock::now();
  bool has_ticked;
  do {
    events_.Wait(kTick);
    const auto now = std::chrono::steady_clock::now();
    has_ticked = now - ticked >= kTick;
    if (has_ticked) ticked = now;
  } while (TakeWholeTurn(has_ticked));
}

/// Returns false once the job has ended.
bool DispatchLoop::TakeWholeTurn(bool has_ticked) {
  MutexLock turn(turn_);
  return CarryOutAll(std::exchange(left_, {})) && CarryOutAll(HandlePosted(has_ticked));
}

void DispatchLoop::TakeTurn() {
  for (int turns = 0; turns < kQuickTurnsMax; ++turns) {
    if (!turn_.TryLock()) return;
    const bool is_done = TakeQuickTurn();
    turn_.Unlock();
    if (!is_done) break;
    // Whoever posted meanwhile and found the turn taken relies on this.
    if (!events_.HasAny()) return;
  }
  events_.Wake();
}

/// Returns false where the loop's own thread has to go on.
bool DispatchLoop::TakeQuickTurn() {
  if (finished_) return true;
  if (!left_.empty()) return false;
  std::vector<Action> actions = HandlePosted(/*has_ticked=*/false);
  const auto first_long = std::ranges::find_if_not(actions, IsQuick);
  left_.assign(std::make_move_iterator(first_long), std::make_move_iterator(actions.end()));
  actions.erase(first_long, actions.end());
  return CarryOutAll(actions) && left_.empty();
}

std::vector<Action> DispatchLoop::HandlePosted(bool has_ticked) {
  std::vector<PostedEvent> posted = events_.TakeAll();
  std::vector<Event> events;
  events.reserve(posted.size() + 1);
  for (PostedEvent& entry : posted) {
    hands_.Receive(&entry);
    events.push_back(std::move(entry.event));
  }
  if (has_ticked) events.emplace_back(Tick{});
  if (events.empty()) return {};
  MutexLock lock(mutex_);
  return dispatcher_->HandleAll(events, NowNanoseconds());
}

/// Returns false when Finish was among them.
bool DispatchLoop::CarryOutAll(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (std::holds_alternative<Finish>(action)) finished_ = true;
    hands_.CarryOut(action);
    if (finished_) return false;
  }
  hands_.Pause();
  return true;
}

}  // namespace penstock
