#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {
namespace {

constexpr rlim_t kOpenFilesWanted = 65'536;

/// Lets this process open as many files as it may, up to a limit, and returns how many of them may
/// be segments.
int64_t SegmentsMax() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 256;
  const rlim_t wanted = std::min(files.rlim_max, kOpenFilesWanted);
  if (files.rlim_cur < wanted) {
    files.rlim_cur = wanted;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
  return static_cast<int64_t>(files.rlim_cur / 2);
}

}  // namespace

SegmentStore::Options RunningHub::StoreOptions() {
  return {.bytes_max = options_.store_bytes,
          .segments_max = SegmentsMax(),
          .spill_folder = options_.spill_folder,
          .reusable = [this](uint32_t client, uint64_t segment) { TellReusable(client, segment); },
          .spilled =
              [this] {
                MutexLock lock(inbox_mutex_);
                inbox_.spilled = true;
                Ring();
              }};
}

bool RunningHub::MustWait(const Value& value) const {
  return value.segment != nullptr && !value.segment->in_memory();
}

/// Has a value come back from disk, and answers then.
void RunningHub::Delay(const HubClient& client, uint64_t request, uint32_t place,
                       const Value& value) {
  store_.Want(*value.segment);
  delayed_[value.segment->id].push_back({client.number, request, place, value});
}

/// Answers with what has come back, and sends the tasks that waited for it.
void RunningHub::TakeSpilled() {
  for (const auto& [segment, status] : store_.TakeSpilled()) {
    auto delayed = delayed_.extract(segment);
    if (delayed.empty()) continue;
    for (const DelayedAnswer& answer : delayed.mapped()) {
      HubClient* client = FindClient(answer.client);
      Request* request = client == nullptr ? nullptr : client->requests.Find(answer.request);
      if (request != nullptr) {
        AnswerGet(
            *client, answer.request, answer.place,
            status.ok() ? answer.value : ErrorValue(SystemError::kObjectLost, status.message()));
        if (--request->missing == 0) client->requests.Close(answer.request);
      }
      store_.Unwant(*answer.value.segment);
    }
  }
  for (auto& [number, worker] : workers_) SendDelayed(worker);
}

/// Returns whether a task is sent later, as something that it is given is on disk, or another one
/// before it waits.
bool RunningHub::DelayRun(const RunTask& run, HubWorker& worker) {
  const HubTask& task = tasks_.at(run.task);
  DelayedRun delayed{.run = run, .wanted = {}};
  bool must_wait = MustWait(task.arguments);
  if (task.arguments.segment != nullptr) delayed.wanted.push_back(task.arguments.segment);
  for (const uint64_t given : task.given) {
    const Object* object = objects_.Find(given);
    if (object == nullptr || object->value.segment == nullptr) continue;
    must_wait = must_wait || MustWait(object->value);
    delayed.wanted.push_back(object->value.segment);
  }
  if (!must_wait && worker.delayed.empty()) return false;
  for (const auto& segment : delayed.wanted) store_.Want(*segment);
  worker.delayed.push_back(std::move(delayed));
  return true;
}

void RunningHub::SendDelayed(HubWorker& worker) {
  const auto comes = [](const auto& segment) { return segment->residence == Residence::kComing; };
  while (!worker.delayed.empty() && std::ranges::none_of(worker.delayed.front().wanted, comes)) {
    const DelayedRun next = std::move(worker.delayed.front());
    worker.delayed.pop_front();
    if (HubClient* client = FindClient(worker.client)) SendRun(*client, next.run);
    for (const auto& segment : next.wanted) store_.Unwant(*segment);
  }
}

void RunningHub::DropDelayed(HubWorker& worker) {
  for (const DelayedRun& delayed : std::exchange(worker.delayed, {})) {
    for (const auto& segment : delayed.wanted) store_.Unwant(*segment);
  }
}

/// Ends a cancelled task that has not been sent yet; false when it has.
bool RunningHub::TakeBackDelayed(const InterruptTask& action) {
  const auto found = workers_.find(action.worker);
  if (found == workers_.end()) return false;
  std::deque<DelayedRun>& delayed = found->second.delayed;
  const auto place =
      std::ranges::find(delayed, action.task, [](const DelayedRun& one) { return one.run.task; });
  if (place == delayed.end()) return false;
  for (const auto& segment : place->wanted) store_.Unwant(*segment);
  delayed.erase(place);
  const uint32_t flags = kFailed | kWasCancelled;
  if (scheduler_->TaskDone(action.worker, action.task, flags) == Answered::kOver) {
    (void)EndWithValues(action.task, flags, {});
  }
  return true;
}

/// Puts the reason in a value's place when there is room for it neither in memory nor on disk.
void RunningHub::KeepIfRoom(Value& value) const {
  if (value.segment == nullptr) return;
  const Status room = store_.CheckRoom();
  if (!room.ok()) value = ErrorValue(SystemError::kStoreFull, room.message());
}

/// Answers those who asked for room, when none is being made any more.
void RunningHub::AnswerRoomAsks() {
  if (store_.is_making_room()) return;
  for (const auto& [number, request] : std::exchange(room_asks_, {})) {
    HubClient* client = FindClient(number);
    if (client == nullptr) continue;
    MessageWriter answer(MessageKind::kText);
    answer.Number(request).Bytes("null");
    client->link->Send(answer.Finish());
    client->link->Flush();
  }
}

}  // namespace penstock::runtime
