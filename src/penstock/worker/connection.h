#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_set>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/frame_check.h"
#include "penstock/worker/wire.h"

namespace penstock {

/// A checked frame, with the segment that holds its output or error.
struct Incoming {
  Frame frame;
  std::shared_ptr<Segment> segment;
};

enum class Received : uint8_t {
  kFrame,    // `incoming` is filled; there may be more.
  kNothing,  // Nothing has come.
  kClosed,   // The worker has closed its end.
};

/// The engine's end of one worker's socket: frames out, checked frames in.
///
/// Threads: any may send; one receives and flushes. Sends go to the socket at once, or to a queue
/// when the socket is full; the poller then reports the socket writable and Flush goes on.
/// Order: frames arrive as they were sent.
/// Ownership: segments are kept until the worker has answered what they were sent for.
class Connection {
 public:
  /// `poller` (an epoll descriptor) must outlive this; its events carry `tag`.
  Connection(OwnedDescriptor socket, std::shared_ptr<SegmentPool> pool, int poller, void* tag);

  Status Watch();
  void Unwatch();

  /// Sending fails for what the protocol forbids (Invalid), as a batch after SendStop, and after
  /// Close (kWorkerDied). What a worker can no longer take is dropped.
  void SendSetup(std::shared_ptr<Segment> setup, int64_t bytes);
  /// A batch that `keeps_input` is mapped by the worker for itself, and each time anew.
  Status SendBatch(HeldBatch batch, int64_t bytes, int64_t rows, bool keeps_input);
  Status SendGrant(uint64_t batch, std::shared_ptr<Segment> output);
  void SendStop();

  /// Tells the worker that a segment's memory is gone, if it has that segment mapped.
  void SendForget(uint64_t segment);

  /// Sends what is queued, as far as the socket takes it.
  void Flush();

  /// Takes the next frame. Invalid when the worker broke the protocol: what it did, as the end of
  /// a sentence that begins with "it".
  Result<Received> Receive(Incoming* incoming);

  /// Ends the watching and lets go of all segments; what is sent from here on is dropped.
  void Close();

  bool stopping();
  int64_t open_batches();

 private:
  struct Outgoing {
    Frame frame;
    std::shared_ptr<Segment> segment;
    std::shared_ptr<Segment> output;
  };

  void Send(Frame frame, std::shared_ptr<Segment> segment, std::shared_ptr<Segment> output)
      PENSTOCK_REQUIRES(mutex_);
  void FlushQueue() PENSTOCK_REQUIRES(mutex_);
  void StopWatching() PENSTOCK_REQUIRES(mutex_);
  void AwaitRoom(bool wanted) PENSTOCK_REQUIRES(mutex_);
  Status Control(int operation, uint32_t events) PENSTOCK_REQUIRES(mutex_);

  const OwnedDescriptor socket_;
  const std::shared_ptr<SegmentPool> pool_;
  const int poller_;
  void* const tag_;

  Mutex mutex_;  // Guards everything below.
  Conversation conversation_ PENSTOCK_GUARDED_BY(mutex_);
  std::deque<Outgoing> queue_ PENSTOCK_GUARDED_BY(mutex_);
  std::unordered_set<uint64_t> mapped_ PENSTOCK_GUARDED_BY(mutex_);  // By the worker.
  bool watched_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool awaits_room_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool stopping_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace penstock
