#include <nanobind/nanobind.h>

#include "client.h"
#include "client_unlock.h"

namespace penstock::python {

using runtime::MessageKind;
using runtime::MessageWriter;
using runtime::TaskKind;

void Client::Post(MessageWriter& message) { outbox_.Append(message); }

void Client::PostReleased() {
  const std::vector<uint64_t> released = references_.TakeReleased();
  if (!released.empty()) {
    MessageWriter message(MessageKind::kRelease);
    message.Ids(released);
    Post(message);
  }
  const std::vector<uint64_t> unmapped = unmapped_->Take();
  if (!unmapped.empty()) {
    MessageWriter message(MessageKind::kUnmapped);
    message.Ids(unmapped);
    Post(message);
  }
}

// Whoever sends takes along what others post meanwhile, who wait only where that gets too much.
void Client::Flush() {
  PostReleased();
  while (is_sending_ && outbox_.packets() >= kPacketsWaitingMax && !has_ended_) {
    const UnlockedWithoutGil unlocked(mutex_);
    socket_->WaitForRoom();
  }
  if (is_sending_) return;
  is_sending_ = true;
  while (!outbox_.empty() && !has_ended_) {
    Outbox::Packet packet = outbox_.Take();
    const ClientSocket::Sent sent = socket_->Send(packet.bytes, packet.descriptors);
    if (sent == ClientSocket::Sent::kGone) End();
    if (sent != ClientSocket::Sent::kFull) continue;
    outbox_.PutBack(std::move(packet));
    const UnlockedWithoutGil unlocked(mutex_);
    socket_->WaitForRoom();
  }
  is_sending_ = false;
}

uint64_t Client::PostTask(const Submission& submission, uint64_t request) {
  constexpr int32_t kGenerator = 1;  // Whose items come by themselves.
  const auto returns =
      static_cast<uint64_t>(submission.returns < 0 ? kGenerator : submission.returns);
  const uint64_t task = NewIds(1 + returns);
  MessageWriter message(MessageKind::kSubmit);
  message.Number(task)
      .Number(submission.kind)
      .Number(submission.function)
      .Number(submission.actor)
      .Bytes(submission.method)
      .Number(submission.returns)
      .Bytes(submission.options)
      .Number(request);
  submission.arguments.Send(/*flags=*/0, &message);
  message.Ids(submission.given);
  Post(message);
  if (submission.kind != TaskKind::kConstructor) {
    for (uint64_t place = 1; place <= returns; ++place) references_.Own(task + place);
  } else if (request == 0) {
    references_.Own(submission.actor);
  }
  return task;
}

uint64_t Client::Submit(const Submission& submission) {
  CheckProcess();
  MutexLock lock(mutex_);
  CheckOpen();
  const uint64_t task = PostTask(submission, /*request=*/0);
  Flush();
  return task;
}

void Client::Kill(uint64_t actor, bool may_restart) {
  CheckProcess();
  MutexLock lock(mutex_);
  CheckOpen();
  MessageWriter message(MessageKind::kKill);
  message.Number(actor).Number(static_cast<uint32_t>(may_restart));
  Post(message);
  Flush();
}

void Client::RemoveGroup(uint64_t group) {
  CheckProcess();
  MutexLock lock(mutex_);
  CheckOpen();
  MessageWriter message(MessageKind::kRemoveGroup);
  message.Number(group);
  Post(message);
  Flush();
}

void Client::SetBlocked(bool blocked) {
  CheckProcess();
  MutexLock lock(mutex_);
  CheckOpen();
  waiting_ += blocked ? 1 : -1;
  if (blocked) GiveBackTasks();
  MessageWriter message(blocked ? MessageKind::kBlocked : MessageKind::kUnblocked);
  Post(message);
  Flush();
}

}  // namespace penstock::python
