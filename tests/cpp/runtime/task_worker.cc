/// A task worker for the tests: it runs what a task's arguments say, in words (see Run).

#include <signal.h>
#include <sys/prctl.h>

#include <map>
#include <sstream>

#include "penstock/worker/wire.h"
#include "runtime/plain_client.h"

namespace {

using namespace penstock::runtime;  // NOLINT: the whole program is about it.

volatile sig_atomic_t was_signalled = 0;

struct Task {
  uint64_t id = 0;
  TaskKind kind = TaskKind::kFunction;
  uint64_t actor = 0;
  std::string method;
  int32_t returns = 0;
  std::string options;
  std::string devices;
  uint32_t attempt = 0;
  PlainValue arguments;
  std::vector<PlainValue> given;
};

Task ReadTask(PlainClient& client, PlainMessage& message) {
  MessageReader fields(message.fields);
  Task task;
  task.id = fields.Number<uint64_t>();
  task.kind = fields.Number<TaskKind>();
  fields.Number<uint64_t>();
  task.actor = fields.Number<uint64_t>();
  task.method = fields.Bytes();
  task.returns = fields.Number<int32_t>();
  task.options = fields.Bytes();
  task.devices = fields.Bytes();
  task.attempt = fields.Number<uint32_t>();
  task.arguments = client.ReadValue(fields, message.descriptors);
  const auto count = fields.Number<uint32_t>();
  for (uint32_t i = 0; i < count; ++i) {
    task.given.push_back(client.ReadValue(fields, message.descriptors));
  }
  return task;
}

void SendReady() {
  penstock::Frame ready;
  ready.kind = penstock::FrameKind::kReady;
  ready.busy_ns = ::getpid();
  if (::send(penstock::kWorkerSocket, &ready, sizeof ready, MSG_NOSIGNAL) < 0) ::_exit(80);
}

/// Returns the worker's number, from the setup.
uint64_t ReceiveSetup() {
  penstock::Frame frame;
  iovec part{&frame, sizeof(frame)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (::recvmsg(penstock::kWorkerSocket, &message, 0) != sizeof(frame)) ::_exit(81);
  int descriptor;
  std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
  char bytes[16] = {};
  if (::pread(descriptor, bytes, sizeof bytes, 0) < 16) ::_exit(82);
  if (std::string(bytes, 8) != "PENTASKS") ::_exit(83);
  uint64_t worker = 0;
  std::memcpy(&worker, bytes + 8, sizeof worker);
  return worker;
}

/// Hands one end of a socket in at the reception; returns the other.
int Connect() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) ::_exit(84);
  char byte = 1;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &pair[1], sizeof(int));
  if (::sendmsg(penstock::kReception, &message, MSG_NOSIGNAL) < 0) ::_exit(85);
  ::close(pair[1]);
  return pair[0];
}

class Worker {
 public:
  explicit Worker(PlainClient& client) : client_(client) {}

  void Serve() {
    while (std::optional<PlainMessage> message = Next()) {
      if (message->kind == MessageKind::kStop) ::_exit(0);
      if (message->kind != MessageKind::kRun) continue;
      Run(ReadTask(client_, *message));
    }
    ::_exit(0);
  }

 private:
  std::optional<PlainMessage> Next() {
    if (!kept_.empty()) {
      PlainMessage message = std::move(kept_.front());
      kept_.pop_front();
      return message;
    }
    return client_.Receive(-1);
  }

  void Done(const Task& task, uint32_t flags, const std::vector<PlainValue>& values) {
    MessageWriter done(MessageKind::kDone);
    done.Number(task.id).Number(flags).Number(static_cast<uint32_t>(values.size()));
    for (const PlainValue& value : values) client_.AddValue(done, value);
    client_.Send(done);
  }

  void Return(const Task& task, const std::string& text) {
    Done(task, 0, std::vector<PlainValue>(static_cast<size_t>(task.returns), {.bytes = text}));
  }

  /// Waits for messages until it is asked for `kind`; others are kept.
  std::optional<PlainMessage> Await(MessageKind kind) {
    while (std::optional<PlainMessage> message = client_.Receive(-1)) {
      if (message->kind == kind) return message;
      kept_.push_back(std::move(*message));
    }
    ::_exit(0);
  }

  /// Waits until the running task is cancelled.
  void Pause(const Task& task) {
    while (was_signalled == 0) ::pause();
    was_signalled = 0;
    Await(MessageKind::kInterrupt);
    Done(task, kWasCancelled, {});
  }

  /// Runs a function of its own with these arguments, and returns what that returns.
  std::string CallOther(const std::string& arguments, const std::string& options) {
    const uint64_t id = client_.NewId(2);
    MessageWriter define(MessageKind::kDefine);
    define.Number(uint64_t{77});
    client_.AddValue(define, {.bytes = "function"});
    client_.Send(define);
    MessageWriter submit(MessageKind::kSubmit);
    submit.Number(id).Number(TaskKind::kFunction).Number(uint64_t{77}).Number(uint64_t{0});
    submit.Bytes("").Number(int32_t{1}).Bytes(options).Number(uint64_t{0});
    client_.AddValue(submit, {.bytes = arguments});
    submit.Ids({});
    client_.Send(submit);
    MessageWriter get(MessageKind::kGet);
    get.Number(uint64_t{id}).Ids({id + 1}).Number(uint64_t{0});
    client_.Send(get);
    std::optional<PlainMessage> answer = Await(MessageKind::kValue);
    MessageReader fields(answer->fields);
    fields.Number<uint64_t>();
    fields.Number<uint32_t>();
    const PlainValue value = client_.ReadValue(fields, answer->descriptors);
    return value.flags != 0 ? value.text() : value.bytes;
  }

  void Yield(const Task& task, int count) {
    for (int i = 0; i < count; ++i) {
      MessageWriter yielded(MessageKind::kYield);
      yielded.Number(task.id).Number(client_.NewId());
      client_.AddValue(yielded, {.bytes = "item " + std::to_string(i)});
      client_.Send(yielded);
    }
  }

  /// One word, then what it is about.
  void Run(const Task& task) {
    std::istringstream words(task.arguments.bytes);
    std::string word;
    words >> word >> std::ws;
    std::string rest;
    std::getline(words, rest);
    if (task.kind == TaskKind::kMethod) return Call(task, word, rest);
    if (word == "fail") return Done(task, kFailed, {{.flags = kIsError, .bytes = rest}});
    if (word == "crash_until" && task.attempt < std::stoul(rest)) ::raise(SIGKILL);
    if (word == "exit") ::_exit(std::stoi(rest));
    if (word == "retry_until" && task.attempt < std::stoul(rest)) {
      return Done(task, kFailed | kRetryWanted, {{.flags = kIsError, .bytes = "retried"}});
    }
    if (word == "build") {
      state_ = rest;
      return Done(task, 0, {});
    }
    if (word == "pause") return Pause(task);
    if (word == "other") return Return(task, CallOther(rest, ""));
    if (word == "process") return Return(task, std::to_string(::getpid()));
    if (word == "attempt") return Return(task, std::to_string(task.attempt));
    if (word == "devices") return Return(task, task.devices);
    if (word == "variable") {
      const char* value = ::getenv(rest.c_str());
      return Return(task, value == nullptr ? "" : value);
    }
    if (word == "given") {
      std::string text;
      for (const PlainValue& given : task.given) text += given.bytes + ";";
      return Return(task, text);
    }
    if (word == "large") {
      return Done(task, 0, {{.bytes = std::string(std::stoul(rest), 'l'), .shared = true}});
    }
    if (word == "yield") {
      Yield(task, std::stoi(rest));
      return Done(task, 0, {});
    }
    if (word == "yield_fail") {
      Yield(task, std::stoi(rest));
      return Done(task, kFailed, {{.flags = kIsError, .bytes = "no more"}});
    }
    if (word == "yield_crash") {
      Yield(task, task.attempt == 0 ? 2 : std::stoi(rest));
      if (task.attempt == 0) ::raise(SIGKILL);
      return Done(task, 0, {});
    }
    if (word == "print") {
      if (::write(STDOUT_FILENO, (rest + "\n").data(), rest.size() + 1) < 0) ::_exit(73);
    }
    if (word == "wrong_count") return Done(task, 0, {});
    if (word == "nonsense") return client_.SendBytes("nonsense that is no message");
    Return(task, rest);
  }

  void Call(const Task& task, const std::string& word, const std::string& rest) {
    if (word == "append") state_ += rest;
    if (word == "append") return Return(task, state_);
    if (word == "exit") ::_exit(std::stoi(rest));
    if (word == "crash_first" && task.attempt == 0) ::raise(SIGKILL);
    if (word == "fail") return Done(task, kFailed, {{.flags = kIsError, .bytes = rest}});
    if (word == "leave") return Done(task, kLeaving, {});
    if (word == "pause") return Pause(task);
    if (word == "process") return Return(task, std::to_string(::getpid()));
    Return(task, state_);
  }

  PlainClient& client_;
  std::deque<PlainMessage> kept_;
  std::string state_;
};

}  // namespace

int main() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction action{};
  action.sa_handler = [](int) { was_signalled = 1; };
  ::sigaction(SIGUSR1, &action, nullptr);
  const uint64_t worker = ReceiveSetup();
  if (const char* exit_at_start = ::getenv("EXIT_AT_START")) ::_exit(std::atoi(exit_at_start));
  PlainClient client(Connect());
  if (!client.Greet(worker)) return 86;
  SendReady();
  Worker(client).Serve();
}
