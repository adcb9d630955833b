#include "penstock/worker/template_process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "penstock/worker/socket.h"

namespace penstock {
namespace {

constexpr int64_t kReasonBytesMax = 4096;

std::string ReadReason(const OwnedDescriptor& descriptor) {
  std::array<char, kReasonBytesMax> text{};
  const ssize_t bytes = ::pread(descriptor.get(), text.data(), text.size(), 0);
  return bytes <= 0 ? "it did not say why" : std::string(text.data(), static_cast<size_t>(bytes));
}

}  // namespace

void ForkedProcess::SendKill() {
  (void)::syscall(SYS_pidfd_send_signal, descriptor_.get(), SIGKILL, nullptr, 0);
}

Status TemplateProcess::Fork(WorkerId worker, int socket, const ProcessOutput::Ends& ends) {
  const Frame frame{.kind = FrameKind::kFork, .batch = static_cast<uint64_t>(worker)};
  const std::array<int, 3> given{socket, ends.output.get(), ends.errors.get()};
  if (SendFrame(socket_.get(), frame, given) == SendOutcome::kSent) return Status::OK();
  return Status::IOError("the template process takes no more");
}

Result<std::optional<TemplateNews>> TemplateProcess::Receive() {
  RawFrame raw;
  PENSTOCK_TRY(const ReceiveOutcome outcome, ReceiveFrame(socket_.get(), &raw));
  if (outcome != ReceiveOutcome::kFrame) return std::nullopt;
  const Frame& frame = raw.frame;
  TemplateNews news{.kind = frame.kind, .worker = static_cast<WorkerId>(frame.batch)};
  switch (frame.magic == kFrameMagic ? frame.kind : FrameKind::kStop) {
    case FrameKind::kPrepared:
      return news;
    case FrameKind::kRefused:
    case FrameKind::kForkFailed:
      news.reason = ReadReason(raw.descriptor);
      return news;
    case FrameKind::kForked:
      if (raw.descriptors != 1 || frame.segment == 0) break;
      news.process = std::make_unique<ForkedProcess>(static_cast<pid_t>(frame.segment),
                                                     std::move(raw.descriptor));
      return news;
    case FrameKind::kEnded:
      news.exit = ExitOf(static_cast<int>(frame.rows), static_cast<int>(frame.busy_ns));
      return news;
    default:
      break;
  }
  return Status::Invalid("sent a frame that a template does not send");
}

}  // namespace penstock
