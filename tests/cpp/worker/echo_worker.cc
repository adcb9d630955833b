/// A worker program for the tests: speaks the wire format as its first argument (the mode) says.
/// It tells its process id in kReady's busy_ns.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/worker/wire.h"

namespace {

using penstock::Frame;
using penstock::FrameKind;
using penstock::kConstructor;
using penstock::kInputDescriptor;
using penstock::kMore;
using penstock::kOutputDescriptor;
using penstock::kWorkerSocket;

struct Mapping {
  char* data = nullptr;
  int64_t capacity = 0;
};

std::map<uint64_t, Mapping> mappings;
int64_t forgotten = 0;
int conversation = kWorkerSocket;  // By which it is received and sent.

void Map(uint64_t segment, int descriptor, int64_t capacity) {
  void* data = ::mmap(nullptr, static_cast<size_t>(capacity), PROT_READ | PROT_WRITE, MAP_SHARED,
                      descriptor, 0);
  if (data == MAP_FAILED) ::_exit(90);
  ::close(descriptor);
  mappings[segment] = {static_cast<char*>(data), capacity};
}

/// Returns the next frame, its segments mapped; nothing at the end of the socket.
std::optional<Frame> Receive() {
  Frame frame;
  iovec part{&frame, sizeof(frame)};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (::recvmsg(conversation, &message, 0) != sizeof(frame)) return std::nullopt;
  int descriptors[2] = {-1, -1};
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
    std::memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  }
  int next = 0;
  if (frame.flags & kInputDescriptor) {
    Map(frame.segment, descriptors[next++], frame.segment_capacity);
  }
  if (frame.flags & kOutputDescriptor) {
    Map(frame.output_segment, descriptors[next], frame.output_capacity);
  }
  return frame;
}

void Send(const Frame& frame, int descriptor = -1, size_t bytes = sizeof(Frame)) {
  iovec part{const_cast<Frame*>(&frame), bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  if (::sendmsg(conversation, &message, MSG_NOSIGNAL) < 0) ::_exit(91);
}

/// Returns a memory file of `bytes` bytes that begins with `text`.
int MakeFile(const std::string& text, int64_t bytes, bool sealed) {
  const int file = ::memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (::ftruncate(file, bytes) != 0) ::_exit(92);
  if (::pwrite(file, text.data(), text.size(), 0) < 0) ::_exit(93);
  if (sealed) ::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return file;
}

Frame OutputOf(const Frame& batch) {
  Frame output;
  output.kind = FrameKind::kOutput;
  output.batch = batch.batch;
  output.segment = batch.output_segment;
  output.segment_bytes = batch.segment_bytes;
  output.rows = batch.rows;
  output.busy_ns = 1;
  return output;
}

void Echo(const Frame& batch) {
  std::memcpy(mappings[batch.output_segment].data, mappings[batch.segment].data,
              static_cast<size_t>(batch.segment_bytes));
  Send(OutputOf(batch));
}

void SendDone(const Frame& batch) {
  Frame done;
  done.kind = FrameKind::kDone;
  done.batch = batch.batch;
  Send(done);
}

/// Answers with as many outputs as the batch has rows, each into the room granted for it.
void Generate(Frame batch) {
  for (int64_t row = 0; row < batch.rows; ++row) {
    mappings[batch.output_segment].data[0] = static_cast<char>('a' + row);
    Frame output = OutputOf(batch);
    output.flags = kMore;
    output.segment_bytes = 1;
    output.rows = 1;
    Send(output);
    const std::optional<Frame> grant = Receive();
    if (!grant || grant->kind != FrameKind::kGrant) ::_exit(94);
    batch.output_segment = grant->output_segment;
  }
  SendDone(batch);
}

void Fail(const Frame& batch, const std::string& text) {
  Frame failed = OutputOf(batch);
  failed.kind = FrameKind::kFailed;
  failed.rows = 0;
  failed.segment_bytes = static_cast<int64_t>(text.size());
  std::memcpy(mappings[batch.output_segment].data, text.data(), text.size());
  Send(failed);
}

void SendOwnFile(const Frame& batch, bool sealed, int64_t capacity) {
  const std::string text(mappings[batch.segment].data, static_cast<size_t>(batch.segment_bytes));
  Frame output = OutputOf(batch);
  output.segment = 0;
  output.flags = kInputDescriptor;
  output.segment_capacity = capacity;
  const int file = MakeFile(text, 1 << 20, sealed);
  Send(output, file);
  ::close(file);
}

/// Breaks the protocol in the way that `mode` names.
void Misbehave(const std::string& mode, const Frame& batch) {
  Frame output = OutputOf(batch);
  if (mode == "magic") output.magic = 7;
  if (mode == "kind") output.kind = FrameKind::kStop;
  if (mode == "flags") output.flags = 0x80;
  if (mode == "segment") output.segment = batch.segment;
  if (mode == "batch") output.batch += 1;
  if (mode == "capacity") output.segment_bytes = batch.output_capacity + 1;
  if (mode == "negative") output.segment_bytes = -1;
  if (mode == "rows") output.rows = -5;
  if (mode == "ready_again") output = {.kind = FrameKind::kReady};
  if (mode == "no_descriptor") {
    output.flags = kInputDescriptor;
    output.segment = 0;
  }
  if (mode == "twice") Send(output);
  Send(output, mode == "extra_descriptor" ? STDERR_FILENO : -1,
       mode == "short" ? 12 : sizeof(Frame));
}

void Crash(int signal_number) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::raise(signal_number);
}

void Print(int stream, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t bytes = ::write(stream, text.data() + done, text.size() - done);
    if (bytes < 0) ::_exit(98);
    done += static_cast<size_t>(bytes);
  }
}

/// Prints as many megabytes as the batch has rows.
void Flood(const Frame& batch) {
  std::string megabyte;
  while (megabyte.size() < (1 << 20)) megabyte += "a line of the flood\n";
  for (int64_t i = 0; i < batch.rows; ++i) Print(STDOUT_FILENO, megabyte);
  Echo(batch);
}

/// Keeps as many megabytes as the batch has rows.
void Allocate(const Frame& batch) {
  const auto bytes = static_cast<size_t>(batch.rows) << 20;
  void* kept = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (kept == MAP_FAILED) ::_exit(99);
  std::memset(kept, 1, bytes);
  Echo(batch);
}

void StartGrandchild() {
  if (::fork() == 0) {
    while (true) ::pause();
  }
}

void Answer(const std::string& mode, const Frame& batch) {
  if (mode == "echo" || mode == "reads_late") return Echo(batch);
  if (mode == "grandchild" || mode == "parent_death") return Echo(batch);
  if (mode == "generate") return Generate(batch);
  if (mode == "fail") return Fail(batch, "it raised");
  if (mode == "own_file") return SendOwnFile(batch, true, 1 << 20);
  if (mode == "unsealed") return SendOwnFile(batch, false, 1 << 20);
  if (mode == "small_file") return SendOwnFile(batch, true, int64_t{1} << 30);
  if (mode == "flood") return Flood(batch);
  if (mode == "device_error") ::_exit(penstock::kStickyDeviceExit);
  if (mode == "allocate") return Allocate(batch);
  if (mode == "print") {
    Print(STDOUT_FILENO, "to be seen\nwithout an end");
    Print(STDERR_FILENO, "an error\n");
    return Echo(batch);
  }
  if (mode == "last_words") {
    Print(STDERR_FILENO, "before it\nFatal Python error: Aborted\n\nin f\nExtension modules: x\n");
    return Crash(SIGABRT);
  }
  if (mode == "crash") return Crash(SIGSEGV);
  if (mode == "exit_0") ::_exit(0);
  if (mode == "exit_3") ::_exit(3);
  if (mode == "done_then_exit") {
    SendDone(batch);
    if (batch.rows == 0) ::_exit(3);  // The last one.
    return;
  }
  if (mode == "count_forgotten") {
    Frame output = OutputOf(batch);
    output.rows = forgotten;
    return Send(output);
  }
  if (mode == "hang_up") {
    ::close(kWorkerSocket);
    while (true) ::pause();
  }
  Misbehave(mode, batch);
}

/// Returns which descriptors and which signal state this process was born with.
std::string DescribeBirth() {
  std::string text;
  for (int i = 0; i < 256; ++i) {
    if (::fcntl(i, F_GETFD) >= 0) text += std::to_string(i) + " ";
  }
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  for (int i = 1; i < 32; ++i) {
    struct sigaction action;
    ::sigaction(i, nullptr, &action);
    if (::sigismember(&mask, i) == 1 || action.sa_handler != SIG_DFL) text += "signal ";
  }
  if (::getpgrp() == ::getpid()) text += "leader";
  return text;
}

void SendText(const Frame& batch, const std::string& text) {
  std::memcpy(mappings[batch.output_segment].data, text.data(), text.size());
  Frame output = OutputOf(batch);
  output.segment_bytes = static_cast<int64_t>(text.size());
  Send(output);
}

void SendReady() {
  Frame ready;
  ready.kind = FrameKind::kReady;
  ready.busy_ns = ::getpid();
  Send(ready);
}

/// Takes the socket of one more worker.
int ReceiveSocket() {
  Frame frame;
  iovec part{&frame, sizeof(frame)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (::recvmsg(penstock::kThreadsSocket, &message, 0) != sizeof(frame)) ::_exit(89);
  if (frame.kind != FrameKind::kJoin) ::_exit(88);
  int socket = -1;
  std::memcpy(&socket, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(socket));
  return socket;
}

/// Is several workers at once; returns when the last was told to stop.
void ServeSeveral() {
  std::vector<pollfd> sockets{{.fd = penstock::kThreadsSocket, .events = POLLIN, .revents = 0},
                              {.fd = kWorkerSocket, .events = POLLIN, .revents = 0}};
  while (sockets.size() > 1) {
    if (::poll(sockets.data(), sockets.size(), -1) < 0) continue;
    if (sockets[0].revents != 0) {
      sockets.push_back({.fd = ReceiveSocket(), .events = POLLIN, .revents = 0});
      continue;
    }
    const auto ready = std::find_if(sockets.begin(), sockets.end(),
                                    [](const pollfd& socket) { return socket.revents != 0; });
    conversation = ready->fd;
    const std::optional<Frame> frame = Receive();
    if (!frame) ::_exit(87);
    if (frame->kind == FrameKind::kSetup) SendReady();
    if (frame->kind == FrameKind::kBatch && frame->rows == 13) Crash(SIGSEGV);
    if (frame->kind == FrameKind::kBatch && frame->rows == 14) Misbehave("magic", *frame);
    if (frame->kind == FrameKind::kBatch && frame->rows < 13) Echo(*frame);
    if (frame->kind != FrameKind::kStop) continue;
    ::close(conversation);
    sockets.erase(ready);
  }
  Print(STDOUT_FILENO, "left by itself\n");
}

std::string DescribeEnvironment() {
  std::string text;
  for (char** entry = environ; *entry != nullptr; ++entry) text += std::string(*entry) + ";";
  return text;
}

void FailConstructor() {
  Frame failed;
  failed.kind = FrameKind::kFailed;
  failed.flags = kConstructor | kInputDescriptor;
  failed.segment_bytes = 9;
  failed.segment_capacity = 4096;
  Send(failed, MakeFile("no weight", 4096, true));
  ::_exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string birth = DescribeBirth();
  const std::string mode = argc > 1 ? argv[1] : "echo";
  if (mode == "parent_death") ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (mode == "threads") {
    ServeSeveral();
    return 0;
  }
  const std::optional<Frame> setup = Receive();
  if (!setup || setup->kind != FrameKind::kSetup) return 95;
  const std::string text(mappings[setup->segment].data, static_cast<size_t>(setup->segment_bytes));
  if (text != "the setup") return 96;
  if (mode == "constructor") FailConstructor();
  if (mode == "grandchild") StartGrandchild();
  sigset_t wake;  // Comes when the test has sent all that it wants to find queued.
  sigemptyset(&wake);
  sigaddset(&wake, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &wake, nullptr);
  SendReady();
  if (mode == "never_reads") {
    while (true) ::pause();
  }
  if (mode == "reads_late") {
    int signal_number;
    ::sigwait(&wake, &signal_number);
  }
  while (const std::optional<Frame> frame = Receive()) {
    if (frame->kind == FrameKind::kStop) return 0;
    if (frame->kind == FrameKind::kForget) {
      ++forgotten;
      mappings.erase(frame->segment);
    }
    if (frame->kind != FrameKind::kBatch) continue;
    if (mode == "birth") {
      SendText(*frame, birth);
    } else if (mode == "environment") {
      SendText(*frame, DescribeEnvironment());
    } else {
      Answer(mode, *frame);
    }
  }
  return 97;
}
