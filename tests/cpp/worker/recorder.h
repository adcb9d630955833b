#pragma once

#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/check.h"
#include "penstock/base/mutex.h"
#include "penstock/worker/host.h"

namespace penstock {

struct RecordedFrame {
  Frame frame;
  std::shared_ptr<Segment> segment;

  std::string text() const {
    return {reinterpret_cast<const char*>(segment->data()),
            static_cast<size_t>(frame.segment_bytes)};
  }
};

/// What a host has told of one worker.
struct RecordedWorker {
  std::vector<RecordedFrame> frames;
  std::vector<WorkerExit> exits;
};

/// Keeps what a host tells, and waits for it.
class Recorder {
 public:
  WorkerEvents events() {
    return {.on_frame =
                [this](WorkerId worker, const Frame& frame, std::shared_ptr<Segment> segment) {
                  MutexLock lock(mutex_);
                  is_pausing_ = false;
                  workers_[worker].frames.push_back({frame, std::move(segment)});
                  changed_.NotifyAll();
                },
            .on_exit =
                [this](WorkerId worker, const WorkerExit& exit) {
                  MutexLock lock(mutex_);
                  is_pausing_ = false;
                  workers_[worker].exits.push_back(exit);
                  changed_.NotifyAll();
                },
            .on_pause =
                [this] {
                  MutexLock lock(mutex_);
                  is_pausing_ = true;
                  changed_.NotifyAll();
                }};
  }

  /// Waits until the host has said that it has nothing more to tell for now.
  void WaitForPause() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    MutexLock lock(mutex_);
    while (!is_pausing_) {
      PENSTOCK_CHECK(std::chrono::steady_clock::now() < deadline);
      changed_.WaitFor(mutex_, std::chrono::seconds(1));
    }
  }

  /// Waits until `wanted` holds for what `worker` did so far and returns that; gives up loudly.
  RecordedWorker WaitFor(WorkerId worker,
                         const std::function<bool(const RecordedWorker&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    MutexLock lock(mutex_);
    while (!wanted(workers_[worker])) {
      PENSTOCK_CHECK(std::chrono::steady_clock::now() < deadline);
      changed_.WaitFor(mutex_, std::chrono::seconds(1));
    }
    return workers_[worker];
  }

  RecordedWorker WaitForFrames(WorkerId worker, size_t count) {
    return WaitFor(worker, [&](const auto& seen) {
      PENSTOCK_CHECK(seen.exits.empty() || seen.frames.size() >= count);
      return seen.frames.size() >= count;
    });
  }

  WorkerExit WaitForExit(WorkerId worker) {
    return WaitFor(worker, [](const auto& seen) { return !seen.exits.empty(); }).exits.back();
  }

  RecordedWorker Seen(WorkerId worker) {
    MutexLock lock(mutex_);
    return workers_[worker];
  }

  /// Lets go of the segments of `worker`'s frames.
  void Drop(WorkerId worker) {
    std::vector<RecordedFrame> frames;
    MutexLock lock(mutex_);
    std::swap(frames, workers_[worker].frames);
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::map<WorkerId, RecordedWorker> workers_;
  bool is_pausing_ = false;
};

}  // namespace penstock
