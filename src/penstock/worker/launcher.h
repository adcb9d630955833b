#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/worker/descriptor.h"
#include "penstock/worker/host.h"
#include "penstock/worker/spawner.h"
#include "penstock/worker/template_process.h"
#include "penstock/worker/worker_lines.h"

namespace penstock {

/// Fewer workers than this are spawned: a template would cost more than it saves.
inline constexpr int kForkedPoolMin = 3;

enum class WatchedKind : uint8_t {
  kSocket,
  kProcess,  // Its descriptor tells that it has ended.
  kOutput,
  kErrors,
};

/// What an event of the host's poller points to.
struct Watched {
  void* worker = nullptr;  // The host's own; null for a template.
  WatchedKind kind = WatchedKind::kSocket;
};

/// Reads one of the standard streams of `process`; the poller hears of it no more once it has
/// ended. `kind` is kOutput or kErrors.
void ReadStream(int poller, const Process& process, WatchedKind kind);

/// What becomes of a launch that did not end with Launch itself. Called on the host's thread,
/// without a lock of the launcher's.
struct LaunchEvents {
  /// The process runs. One that is `forked` ends by on_ended, any other by its descriptor.
  std::function<void(WorkerId, std::shared_ptr<Process>, bool forked)> on_process;
  /// There will be none.
  std::function<void(WorkerId, const Status&)> on_failure;
  /// A forked one has ended and was reaped: its Reap says how.
  std::function<void(WorkerId)> on_ended;
};

/// Chooses how workers come to life: spawned, or forked from a template that has imported what they
/// need. Of a pool of kForkedPoolMin and more the first is spawned, and teaches the template; the
/// others wait for that. Where the template refuses (it holds threads or a device that a fork would
/// break), or dies, or a forked worker does not show that it works, they are spawned after all.
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

  /// Returns the process when it runs already; null when events will tell. `socket` is the worker's
  /// end of its socket. IOError when the program cannot be run.
  Result<std::shared_ptr<Process>> Launch(WorkerId worker, const WorkerCommand& command,
                                          OwnedDescriptor socket);

  /// Drops a launch that waits for the template; false when it does not (any more).
  bool Cancel(WorkerId worker);

  /// Kills the templates; what they had not forked yet fails.
  void Close();

  /// Takes news from the template that `watched`, of an event of the poller, belongs to.
  void Handle(const Watched& watched);

  /// Says how many workers were spawned and forked so far, and why none could be forked.
  std::string Summary() const;

 private:
  enum class FamilyState : uint8_t {
    kLearning,  // The template imports what the first worker imports.
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

  /// The workers of one command.
  struct Family {
    WorkerCommand command;
    FamilyState state = FamilyState::kSpawning;
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
  Result<std::shared_ptr<Process>> SpawnFirst(Family& family, const OwnedDescriptor& socket)
      PENSTOCK_REQUIRES(mutex_);
  Status StartTemplate(Family& family, int modules) PENSTOCK_REQUIRES(mutex_);
  Status WatchTemplate(Family& family);
  void AskFor(Family& family, Waiting waiting) PENSTOCK_REQUIRES(mutex_);
  void SpawnLater(Waiting waiting) PENSTOCK_REQUIRES(mutex_);
  void Take(Family& family, TemplateNews news) PENSTOCK_REQUIRES(mutex_);
  void TakeForked(Family& family, TemplateNews news) PENSTOCK_REQUIRES(mutex_);
  void TakeEnded(Family& family, const TemplateNews& news) PENSTOCK_REQUIRES(mutex_);
  void HandleTemplate(Family& family, WatchedKind kind) PENSTOCK_REQUIRES(mutex_);
  void Receive(Family& family) PENSTOCK_REQUIRES(mutex_);
  void EndTemplate(Family& family, const std::string& why) PENSTOCK_REQUIRES(mutex_);
  void StopForking(Family& family, const std::string& why) PENSTOCK_REQUIRES(mutex_);

  const int poller_;
  const std::shared_ptr<WorkerLines> lines_;
  const LaunchEvents events_;
  Spawner spawner_;

  mutable Mutex mutex_;  // Guards what follows.
  std::map<std::string, std::unique_ptr<Family>> families_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<Telling> to_tell_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
  int spawned_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  int forked_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  std::string why_spawned_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
