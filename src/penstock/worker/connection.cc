#include "penstock/worker/connection.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/worker/socket.h"

namespace penstock {

Connection::Connection(OwnedDescriptor socket, std::shared_ptr<SegmentPool> pool, int poller,
                       void* tag)
    : socket_(std::move(socket)), pool_(std::move(pool)), poller_(poller), tag_(tag) {}

Status Connection::Control(int operation, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = tag_;
  if (::epoll_ctl(poller_, operation, socket_.get(), &event) == 0) return Status::OK();
  return Status::IOError("a worker's socket cannot be watched: ",
                         std::generic_category().message(errno));
}

Status Connection::Watch() {
  MutexLock lock(mutex_);
  if (closed_) return Status::OK();
  PENSTOCK_RETURN_NOT_OK(Control(EPOLL_CTL_ADD, EPOLLIN));
  watched_ = true;
  return Status::OK();
}

void Connection::Unwatch() {
  MutexLock lock(mutex_);
  StopWatching();
}

void Connection::StopWatching() {
  if (watched_) (void)Control(EPOLL_CTL_DEL, 0);
  watched_ = false;
}

void Connection::SendSetup(std::shared_ptr<Segment> setup, int64_t bytes) {
  MutexLock lock(mutex_);
  conversation_.SendSetup(setup);
  Send({.kind = FrameKind::kSetup, .segment_bytes = bytes}, std::move(setup), nullptr);
}

Status Connection::SendBatch(HeldBatch batch, int64_t bytes, int64_t rows, bool keeps_input) {
  const Frame frame{.kind = FrameKind::kBatch,
                    .flags = keeps_input ? kKeptInput : 0,
                    .batch = batch.batch,
                    .segment_bytes = bytes,
                    .rows = rows};
  std::shared_ptr<Segment> input = batch.input;
  std::shared_ptr<Segment> output = batch.grants.empty() ? nullptr : batch.grants.front();
  MutexLock lock(mutex_);
  if (closed_) return MakeError(ErrorKind::kWorkerDied, "the worker has ended");
  if (stopping_) return Status::Invalid("the worker was told to stop before batch ", batch.batch);
  PENSTOCK_RETURN_NOT_OK(conversation_.SendBatch(std::move(batch)));
  Send(frame, std::move(input), std::move(output));
  return Status::OK();
}

Status Connection::SendGrant(uint64_t batch, std::shared_ptr<Segment> output) {
  MutexLock lock(mutex_);
  if (!conversation_.SendGrant(batch, output)) return Status::OK();
  Send({.kind = FrameKind::kGrant, .batch = batch}, nullptr, std::move(output));
  return Status::OK();
}

void Connection::SendStop() {
  MutexLock lock(mutex_);
  if (!std::exchange(stopping_, true)) Send({.kind = FrameKind::kStop}, nullptr, nullptr);
}

void Connection::SendForget(uint64_t segment) {
  MutexLock lock(mutex_);
  if (mapped_.erase(segment) == 0) return;
  Send({.kind = FrameKind::kForget, .segment = segment}, nullptr, nullptr);
}

void Connection::Send(Frame frame, std::shared_ptr<Segment> segment,
                      std::shared_ptr<Segment> output) {
  if (closed_) return;
  if (segment != nullptr) {
    frame.segment = segment->id();
    frame.segment_capacity = segment->capacity();
    const bool is_kept = (frame.flags & kKeptInput) != 0;
    if (is_kept || mapped_.insert(segment->id()).second) frame.flags |= kInputDescriptor;
  }
  if (output != nullptr) {
    frame.output_segment = output->id();
    frame.output_capacity = output->capacity();
    if (mapped_.insert(output->id()).second) frame.flags |= kOutputDescriptor;
  }
  queue_.push_back({frame, std::move(segment), std::move(output)});
  if (queue_.size() > 1) return;
  FlushQueue();
}

void Connection::Flush() {
  MutexLock lock(mutex_);
  FlushQueue();
}

void Connection::FlushQueue() {
  while (!queue_.empty()) {
    const Outgoing& next = queue_.front();
    std::array<int, 2> descriptors{};
    size_t count = 0;
    if ((next.frame.flags & kInputDescriptor) != 0) {
      descriptors[count++] = next.segment->descriptor();
    }
    if ((next.frame.flags & kOutputDescriptor) != 0) {
      descriptors[count++] = next.output->descriptor();
    }
    if (SendFrame(socket_.get(), next.frame, {descriptors.data(), count}) == SendOutcome::kFull) {
      break;
    }
    queue_.pop_front();
  }
  AwaitRoom(!queue_.empty());
}

void Connection::AwaitRoom(bool wanted) {
  if (!watched_ || awaits_room_ == wanted) return;
  awaits_room_ = wanted;
  (void)Control(EPOLL_CTL_MOD, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Result<Received> Connection::Receive(Incoming* incoming) {
  RawFrame raw;
  PENSTOCK_TRY(const ReceiveOutcome outcome, ReceiveFrame(socket_.get(), &raw));
  if (outcome == ReceiveOutcome::kNothing) return Received::kNothing;
  if (outcome == ReceiveOutcome::kClosed) return Received::kClosed;
  PENSTOCK_RETURN_NOT_OK(CheckFrameShape(raw.frame, raw.descriptors));
  std::shared_ptr<Segment> own;
  if (raw.descriptors > 0) {
    Result<std::shared_ptr<Segment>> adopted =
        pool_->Adopt(raw.descriptor.Release(), raw.frame.segment_capacity);
    if (!adopted.ok()) {
      return Status::Invalid("sent a memory file that cannot be used: ",
                             adopted.status().message());
    }
    own = *std::move(adopted);
  }
  Answer answer;
  {
    MutexLock lock(mutex_);
    PENSTOCK_TRY(answer, conversation_.Receive(raw.frame, std::move(own)));
  }
  incoming->frame = raw.frame;
  incoming->segment = std::move(answer.segment);
  return Received::kFrame;
}

void Connection::Close() {
  Conversation conversation;
  std::deque<Outgoing> queue;
  MutexLock lock(mutex_);
  StopWatching();
  closed_ = true;
  std::swap(conversation, conversation_);
  std::swap(queue, queue_);
}

bool Connection::stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

int64_t Connection::open_batches() {
  MutexLock lock(mutex_);
  return conversation_.open_batches();
}

}  // namespace penstock
