#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "client.h"

namespace penstock::python {

using runtime::MessageKind;
using runtime::MessageReader;
using runtime::MessageWriter;
using runtime::TaskKind;

void Client::TakeTask(MessageReader& reader, Descriptors& descriptors) {
  ArrivedTask task;
  task.id = reader.Number<uint64_t>();
  task.kind = reader.Number<TaskKind>();
  task.function = reader.Number<uint64_t>();
  task.actor = reader.Number<uint64_t>();
  task.method = reader.Bytes();
  task.returns = reader.Number<int32_t>();
  task.options = reader.Bytes();
  task.devices = reader.Bytes();
  task.attempt = reader.Number<uint32_t>();
  task.arguments = ReadValue(reader, descriptors);
  const auto given = reader.Number<uint32_t>();
  for (uint32_t place = 0; place < given && reader.ok(); ++place) {
    task.given.push_back(ReadValue(reader, descriptors));
  }
  if (task.kind == TaskKind::kConstructor) has_actor_ = true;
  arrived_.push_back(std::move(task));
  if (waiting_ > 0) GiveBackTasks();
}

// Wakes an event loop that looks at descriptor(), whoever has read what it waits for.
void Client::Ring() {
  if (doorbell_ < 0) return;
  const uint64_t rung = 1;
  static_cast<void>(write(doorbell_, &rung, sizeof rung));
}

// Gives back those of the tasks that have not begun; the signal that comes with that has no other
// meaning.
void Client::GiveBack(const std::vector<uint64_t>& tasks) {
  has_given_back_ = true;
  std::deque<ArrivedTask> kept;
  for (ArrivedTask& task : arrived_) {
    if (std::find(tasks.begin(), tasks.end(), task.id) == tasks.end()) {
      kept.push_back(std::move(task));
      continue;
    }
    MessageWriter message(MessageKind::kGiveBack);
    message.Number(task.id);
    Post(message);
  }
  arrived_ = std::move(kept);
  Flush();
}

// A function that waits lets others run what has come for it meanwhile; an actor's calls are its
// own.
void Client::GiveBackTasks() {
  if (has_actor_ || running_.empty()) return;
  for (const ArrivedTask& task : arrived_) {
    MessageWriter message(MessageKind::kGiveBack);
    message.Number(task.id);
    Post(message);
  }
  arrived_.clear();
  Flush();
}

std::optional<ArrivedTask> Client::ReceiveTask(Timeout timeout) {
  CheckProcess();
  const Deadline deadline = DeadlineOf(timeout);
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  Flush();
  while (arrived_.empty() && !stops_ && WaitForChange(deadline)) continue;
  if (arrived_.empty()) return std::nullopt;
  ArrivedTask task = std::move(arrived_.front());
  arrived_.pop_front();
  running_.emplace(task.id, task.kind);
  has_given_back_ = false;
  if (task.kind != TaskKind::kMethod) task.definition = functions_[task.function];
  return task;
}

bool Client::is_stopping() {
  MutexLock lock(mutex_);
  return stops_ && arrived_.empty();
}

void Client::Done(uint64_t task, uint32_t flags, const std::vector<Packed*>& values) {
  CheckProcess();
  MutexLock lock(mutex_);
  const auto running = running_.find(task);
  const bool is_constructor =
      running != running_.end() && running->second == TaskKind::kConstructor;
  if (running != running_.end()) running_.erase(running);
  interrupted_.erase(task);
  if (has_ended_) return;
  MessageWriter message(MessageKind::kDone);
  message.Number(task).Number(flags).Number(static_cast<uint32_t>(values.size()));
  uint8_t value_flags = 0;
  if ((flags & runtime::kFailed) != 0) {
    value_flags = runtime::kIsError | (is_constructor ? runtime::kIsConstructorError : 0);
  }
  for (Packed* const value : values) value->Send(value_flags, &message);
  Post(message);
  Flush();
}

void Client::YieldItem(uint64_t task, Packed& value) {
  const uint64_t object = NewIds(1);
  MutexLock lock(mutex_);
  CheckOpen();
  MessageWriter message(MessageKind::kYield);
  message.Number(task).Number(object);
  value.Send(/*flags=*/0, &message);
  Post(message);
  Flush();
}

std::vector<uint64_t> Client::Interrupted(double patience_s) {
  Poll();
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  const Deadline deadline = DeadlineOf(patience_s);
  while (interrupted_.empty() && !has_given_back_ && !has_ended_ && WaitForChange(deadline)) {
    continue;
  }
  has_given_back_ = false;
  return {interrupted_.begin(), interrupted_.end()};
}

int Client::descriptor() {
  CheckProcess();
  MutexLock lock(mutex_);
  if (watched_ >= 0) return watched_;
  doorbell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  watched_ = epoll_create1(EPOLL_CLOEXEC);
  for (const int descriptor : {doorbell_, socket_->descriptor()}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
    if (epoll_ctl(watched_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
      throw std::runtime_error("cannot watch the socket to the hub");
    }
  }
  return watched_;
}

}  // namespace penstock::python
