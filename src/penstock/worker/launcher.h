#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/host.h"
#include "penstock/worker/launch_counts.h"
#include "penstock/worker/pipe.h"
#include "penstock/worker/spawner.h"
#include "penstock/worker/template_process.h"
#include "penstock/worker/thread_process.h"
#include "penstock/worker/watched.h"
#include "penstock/worker/worker_lines.h"

namespace penstock {

/// Fewer workers than this are spawned: two take as long to fork as to spawn, whether they import
/// NumPy, pandas or torch, and 4 to 20 MiB more, the template among them.
inline constexpr int kForkedPoolMin = 3;

/// How a worker came to be, and thereby who watches it.
enum class LaunchKind : uint8_t {
  kSpawned,  // The host sees its end and reads its streams.
  kForked,   // on_ended tells of its end; the host reads its streams.
  kThread,   // A thread of a process that others share: on_ended tells, the launcher reads.
};

struct Launched {
  std::shared_ptr<Process> process;  // Null when events will tell.
  LaunchKind kind = LaunchKind::kSpawned;
};

/// What becomes of a launch that did not end with Launch itself. Called on the host's thread,
/// without a lock of the launcher's.
struct LaunchEvents {
  /// The process runs.
  std::function<void(WorkerId, Launched)> on_process;
  /// There will be none.
  std::function<void(WorkerId, const Status&)> on_failure;
  /// One that is no kSpawned has ended and was reaped: its Reap says how.
  std::function<void(WorkerId, const Launched&)> on_ended;
};

/// Chooses how workers come to life.
///
/// kNothing shared: spawned, or forked from a template that has imported what they need. Of a pool
/// of kForkedPoolMin and more the first is spawned, and teaches the template; the others wait until
/// it has imported nothing new for a while, two minutes at most, not for its constructor. kModel:
/// the template builds the functions, and all are forked from it. Where the template refuses (it
/// holds threads or a device that a fork would break, or could not build), or dies, or a forked
/// worker does not show that it works, they are spawned after all. kProcess: the first is spawned,
/// the others become threads of its process.
///
/// Threads: any, but Handle on the host's alone.
class Launcher {
 public:
  /// `poller` (an epoll descriptor) must outlive this. `lines` takes what the workers print, and
  /// may be null.
  Launcher(int poller, std::shared_ptr<WorkerLines> lines, LaunchEvents events)
      : poller_(poller), lines_(std::move(lines)), events_(std::move(events)) {}

  /// Ends the templates, and with them what is left of their workers.
  ~Launcher();

  /// `socket` is the worker's end of its socket; `setup` the memory that its kSetup names, of which
  /// `setup_bytes` are used. IOError when the program cannot be run.
  Result<Launched> Launch(WorkerId worker, const WorkerCommand& command, OwnedDescriptor socket,
                          const Segment& setup, int64_t setup_bytes);

  /// Drops a launch that waits for the template; false when it does not (any more).
  bool Cancel(WorkerId worker);

  /// Lets a kThread go whose thread has ended; false when its process ends with it.
  bool Leave(WorkerId worker);

  /// A worker that is a thread is about to be told to stop.
  void Leaving(WorkerId worker);

  /// Kills the templates; what they had not forked yet fails.
  void Close();

  /// Takes news from the process of the launcher's that `watched`, of an event of the poller,
  /// belongs to.
  void Handle(const Watched& watched);

  /// Lets go of processes that have ended. Events of the poller that are at hand must not point
  /// to them any more.
  void DropEnded();

  /// Says how many workers of each pool were spawned and forked so far, and why some were spawned
  /// instead of forked.
  std::string Summary() const;

 private:
  enum class FamilyState : uint8_t {
    kLearning,  // The template imports what the first worker imports, or builds the functions.
    kForking,
    kSpawning,  // There is no template, or none that may be forked.
  };

  struct Waiting {
    WorkerId worker;
    WorkerCommand command;
    OwnedDescriptor socket;
  };

  /// What a template was asked to fork, and what is spawned if it cannot.
  struct Asked {
    Waiting waiting;
    std::shared_ptr<ProcessOutput> output;
  };

  /// The workers of one template.
  struct Family {
    FamilyState state = FamilyState::kSpawning;
    bool builds = false;      // The template has the functions built.
    std::string why_spawned;  // kSpawning: why there is no template, if anything is to be said.
    std::unique_ptr<TemplateProcess> process;
    std::deque<Waiting> waiting;
    std::map<WorkerId, Asked> asked;
    std::map<WorkerId, std::shared_ptr<ForkedProcess>> forked;
    std::array<Watched, 4> watched{{{.kind = WatchedKind::kSocket},
                                    {.kind = WatchedKind::kProcess},
                                    {.kind = WatchedKind::kOutput},
                                    {.kind = WatchedKind::kErrors}}};
  };

  using Telling = std::function<void()>;

  Result<std::unique_ptr<Process>> Spawn(const WorkerCommand& command,
                                         std::shared_ptr<WorkerLines> lines,
                                         GivenDescriptors given);
  LaunchCounts& CountsOf(const WorkerCommand& command) PENSTOCK_REQUIRES(mutex_);
  Result<Launched> SpawnWorker(const WorkerCommand& command, GivenDescriptors given,
                               const std::string& why = {}) PENSTOCK_REQUIRES(mutex_);
  Result<Launched> LaunchThread(WorkerId worker, const WorkerCommand& command,
                                const OwnedDescriptor& socket) PENSTOCK_REQUIRES(mutex_);
  Result<Launched> SpawnFirst(Family& family, const WorkerCommand& command,
                              const OwnedDescriptor& socket) PENSTOCK_REQUIRES(mutex_);
  void StartBuilding(Family& family, const WorkerCommand& command, const Segment& setup,
                     int64_t setup_bytes) PENSTOCK_REQUIRES(mutex_);
  Status StartTemplate(Family& family, const WorkerCommand& command,
                       std::shared_ptr<WorkerLines> lines, int modules) PENSTOCK_REQUIRES(mutex_);
  Status WatchTemplate(Family& family);
  void AskFor(Family& family, Waiting waiting) PENSTOCK_REQUIRES(mutex_);
  void SpawnLater(Waiting waiting, const std::string& why) PENSTOCK_REQUIRES(mutex_);
  void Take(Family& family, TemplateNews news) PENSTOCK_REQUIRES(mutex_);
  void TakeForked(Family& family, TemplateNews news) PENSTOCK_REQUIRES(mutex_);
  void TakeEnded(Family& family, const TemplateNews& news) PENSTOCK_REQUIRES(mutex_);
  void HandleTemplate(Family& family, WatchedKind kind) PENSTOCK_REQUIRES(mutex_);
  void Receive(Family& family) PENSTOCK_REQUIRES(mutex_);
  void EndTemplate(Family& family, const std::string& why) PENSTOCK_REQUIRES(mutex_);
  void DropTemplate(Family& family) PENSTOCK_REQUIRES(mutex_);
  void StopForking(Family& family, const std::string& why) PENSTOCK_REQUIRES(mutex_);
  void TellEnded(WorkerId worker, Launched launched) PENSTOCK_REQUIRES(mutex_);
  void HandleThreads(const Watched& watched) PENSTOCK_REQUIRES(mutex_);

  const int poller_;
  const std::shared_ptr<WorkerLines> lines_;
  const LaunchEvents events_;
  const Result<Pipe> lifeline_ = MakePipe();  // Its end for writing closes with this process.
  Spawner spawner_;

  mutable Mutex mutex_;  // Guards what follows.
  std::map<std::string, std::unique_ptr<Family>> families_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<ThreadProcess>> thread_processes_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<Telling> to_tell_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
  PoolLaunches launches_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
