#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/host.h"
#include "penstock/worker/process.h"
#include "penstock/worker/wire.h"

namespace penstock {

/// A worker that a template has forked: the template's child, which the template reaps.
class ForkedProcess final : public Process {
 public:
  ForkedProcess(pid_t process_id, OwnedDescriptor descriptor)
      : Process(process_id, std::move(descriptor)) {}
  ~ForkedProcess() override { SendKill(); }

  /// Says what Reap returns: what the template told of its end.
  void SetExit(WorkerExit exit) { exit_ = std::move(exit); }
  WorkerExit Reap() override { return exit_; }

 private:
  void SendKill() override;  // The template kills its group when it reaps it.

  WorkerExit exit_;
};

/// What a template tells, of itself or of one worker.
struct TemplateNews {
  FrameKind kind = FrameKind::kPrepared;
  WorkerId worker = 0;
  std::unique_ptr<ForkedProcess> process;  // kForked.
  WorkerExit exit;                         // kEnded.
  std::string reason;                      // kRefused, kForkFailed: why.
};

/// The engine's end of a template process: one that has imported what the workers of one kind
/// import, and forks them. It learns what that is from the first worker, through a pipe, while that
/// one imports it.
///
/// Threads: one at a time. The template's workers die with it.
class TemplateProcess {
 public:
  TemplateProcess(std::unique_ptr<Process> process, OwnedDescriptor socket)
      : process_(std::move(process)), socket_(std::move(socket)) {}

  int socket() const { return socket_.get(); }
  Process& process() { return *process_; }

  /// Has it build the functions of which `setup` tells, before it forks. IOError likewise.
  Status Build(const Segment& setup, int64_t setup_bytes);

  /// Asks for a worker, whose end of its socket is `socket`, and of its standard streams `ends`;
  /// the caller keeps and closes them. `environment` is what the worker sets beside the template's.
  /// IOError when the template cannot take it.
  Status Fork(WorkerId worker, int socket, const ProcessOutput::Ends& ends,
              const std::vector<std::string>& environment);

  /// Takes the next news; nothing when none has come or none will. Invalid when the template broke
  /// the protocol.
  Result<std::optional<TemplateNews>> Receive();

 private:
  const std::unique_ptr<Process> process_;
  const OwnedDescriptor socket_;
};

}  // namespace penstock
