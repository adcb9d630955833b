#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"
#include "penstock/worker/host.h"

namespace penstock::runtime {

struct HubOptions {
  double processors = 0;     // 0: MachineProcessors().
  double gpus = -1;          // -1: as many as MachineGpus() names.
  int64_t memory_bytes = 0;  // That tasks and actors may ask for; 0: the machine's.
  int64_t store_bytes = 0;   // Of objects in shared memory, beyond which they are spilled; 0: three
                             // tenths of the machine's.
  std::vector<std::pair<std::string, double>> resources;  // Of the program's own kinds.
  WorkerCommand worker_command;
  std::shared_ptr<WorkerLines> worker_lines;  // Takes what workers print; null: it is dropped.
  std::string spill_folder = "/tmp";          // Holds unnamed files alone (O_TMPFILE).
  std::string facts;                          // JSON, passed on in kWelcome.
};

/// Runs tasks and actors on worker processes, and keeps the objects that they and the program make:
/// what Ray Core is, on one machine, inside the program's own process.
///
/// Processes use it through the messages of wire.h, the program that started it like any other.
/// What runs when is decided by a state machine (scheduler.h) without threads, clock or processes;
/// the hub carries it out. Messages of one client take effect in the order sent.
///
/// Promises: a resource is never oversold, but that a task which waited for an object goes on at
/// once when that is there (nothing new starts until the debt is paid). A task that waits for
/// objects gives its processors back meanwhile. What can never fit fails at once. A value is kept
/// once, however many read it, and freed when the last reference goes; beyond `store_bytes` those
/// that nobody looks at are spilled, least recently used first. A worker's death fails or repeats
/// what it ran, by its options; its client's references go with it.
/// Threads: one of its own, beside the worker host's. The methods may be called by any.
/// Ends: the destructor kills all workers, waits for them, and closes all sockets.
/// Errors: a client that breaks the protocol is cut off, and killed if it is a worker of the hub.
class Hub {
 public:
  static Result<std::unique_ptr<Hub>> Start(HubOptions options);
  virtual ~Hub() = default;

  /// Returns the other end of a socket to this hub, for the program's own client.
  virtual Result<OwnedDescriptor> Connect() = 0;
};

}  // namespace penstock::runtime
