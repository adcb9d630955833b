#include "penstock/worker/template_process.h"

#include <signal.h>
#include <sys/mman.h>
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

/// Makes a memory file of the entries, each with a zero after it.
Result<OwnedDescriptor> TextFile(const std::vector<std::string>& entries, int64_t* bytes) {
  std::string text;
  for (const std::string& entry : entries) text.append(entry).push_back('\0');
  OwnedDescriptor file(::memfd_create("penstock-environment", MFD_CLOEXEC));
  *bytes = static_cast<int64_t>(text.size());
  if (file.get() < 0 || ::pwrite(file.get(), text.data(), text.size(), 0) != *bytes) {
    return Status::IOError("a worker's environment cannot be handed over");
  }
  return file;
}

}  // namespace

void ForkedProcess::SendKill() {
  (void)::syscall(SYS_pidfd_send_signal, descriptor_.get(), SIGKILL, nullptr, 0);
}

Status TemplateProcess::Build(const Segment& setup, int64_t setup_bytes) {
  const Frame frame{.kind = FrameKind::kSetup,
                    .flags = kInputDescriptor,
                    .segment = setup.id(),
                    .segment_bytes = setup_bytes,
                    .segment_capacity = setup.capacity()};
  const int descriptor = setup.descriptor();
  if (SendFrame(socket_.get(), frame, {&descriptor, 1}) == SendOutcome::kSent) return Status::OK();
  return Status::IOError("the template process takes no setup");
}

Status TemplateProcess::Fork(WorkerId worker, int socket, const ProcessOutput::Ends& ends,
                             const std::vector<std::string>& environment) {
  Frame frame{.kind = FrameKind::kFork, .batch = static_cast<uint64_t>(worker)};
  std::vector<int> given{socket, ends.output.get(), ends.errors.get()};
  OwnedDescriptor variables;
  if (!environment.empty()) {
    PENSTOCK_TRY(variables, TextFile(environment, &frame.segment_bytes));
    given.push_back(variables.get());
  }
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
