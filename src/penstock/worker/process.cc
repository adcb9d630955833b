#include "penstock/worker/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "penstock/base/check.h"
#include "penstock/worker/wire.h"

namespace penstock {
namespace {

constexpr unsigned kProcessIsExiting = 0x4;  // The kernel's PF_EXITING.

/// How the new process differs from this one.
class SpawnPlan {
 public:
  explicit SpawnPlan(const GivenDescriptors& given) {
    PENSTOCK_CHECK(posix_spawn_file_actions_init(&actions_) == 0);
    PENSTOCK_CHECK(posix_spawnattr_init(&attributes_) == 0);
    Give(given.socket, kWorkerSocket);  // First: the others are above those that are given.
    static_assert(kModulesPipe == kThreadsSocket);  // A worker has one of them at most.
    const int last = std::max(given.modules, given.threads);
    Give(given.lifeline, kLifeline);
    Give(last, kModulesPipe);
    Give(given.reception, kReception);
    Give(given.output, STDOUT_FILENO);
    Give(given.errors, STDERR_FILENO);
    PENSTOCK_CHECK(
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    if (last < 0) Close(kModulesPipe);
    if (given.reception < 0) Close(kReception);
    PENSTOCK_CHECK(posix_spawn_file_actions_addclosefrom_np(&actions_, kReception + 1) == 0);
#endif
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  void Give(int descriptor, int number) {
    if (descriptor < 0) return;
    PENSTOCK_CHECK(posix_spawn_file_actions_adddup2(&actions_, descriptor, number) == 0);
  }

  void Close(int number) {
    PENSTOCK_CHECK(posix_spawn_file_actions_addclose(&actions_, number) == 0);
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> PointersTo(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string NameOfSignal(int signal) {
  switch (signal) {
    case SIGHUP:
      return "SIGHUP";
    case SIGINT:
      return "SIGINT";
    case SIGQUIT:
      return "SIGQUIT";
    case SIGILL:
      return "SIGILL";
    case SIGTRAP:
      return "SIGTRAP";
    case SIGABRT:
      return "SIGABRT";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGKILL:
      return "SIGKILL";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGPIPE:
      return "SIGPIPE";
    case SIGTERM:
      return "SIGTERM";
    case SIGXCPU:
      return "SIGXCPU";
    case SIGXFSZ:
      return "SIGXFSZ";
    case SIGSYS:
      return "SIGSYS";
    default:
      return strsignal(signal);
  }
}

}  // namespace

WorkerExit ExitOf(int code, int status) {
  WorkerExit exit;
  if (code == CLD_EXITED) {
    exit.exit_code = status;
    exit.reason = fmt::format("exited with code {}", status);
    if (status != kStickyDeviceExit) return exit;
    exit.cause = ExitCause::kDeviceError;
    exit.reason = "ended itself after an error that leaves its device unusable to it";
  } else {
    exit.cause = ExitCause::kSignal;
    exit.signal = status;
    exit.reason = fmt::format("was killed by signal {} ({})", status, NameOfSignal(status));
  }
  return exit;
}

Result<std::unique_ptr<Process>> SpawnedProcess::Start(const WorkerCommand& command,
                                                       const GivenDescriptors& given) {
  if (command.arguments.empty()) return Status::Invalid("the worker's command is empty");
  const std::string& program = command.arguments.front();
  const SpawnPlan plan(given);
  pid_t process_id = 0;
  const int error =
      ::posix_spawn(&process_id, program.c_str(), plan.actions(), plan.attributes(),
                    PointersTo(command.arguments).data(), PointersTo(command.environment).data());
  if (error != 0) {
    return Status::IOError("a worker process could not be started: ",
                           std::generic_category().message(error), ": ", program);
  }
  OwnedDescriptor descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_id, 0)));
  const int pidfd_error = errno;
  const bool watched = descriptor.get() >= 0;
  std::unique_ptr<Process> process(new SpawnedProcess(process_id, std::move(descriptor)));
  if (watched) return process;
  return Status::IOError("a worker process cannot be watched (Linux 5.3 or later is needed): ",
                         std::generic_category().message(pidfd_error));
}

SpawnedProcess::~SpawnedProcess() {
  SendKill();
  Reap();
}

void Process::Kill(KillReason why) {
  {
    MutexLock lock(reason_mutex_);
    if (!kill_reason_) kill_reason_ = std::move(why);
  }
  SendKill();
}

void Process::Signal(int signal) {
  (void)::syscall(SYS_pidfd_send_signal, descriptor(), signal, nullptr, 0);
}

std::optional<KillReason> Process::kill_reason() const {
  MutexLock lock(reason_mutex_);
  return kill_reason_;
}

std::optional<int64_t> Process::ResidentBytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", process_id_));
  int64_t whole = 0;
  int64_t resident = 0;
  int64_t shared = 0;
  if (!(file >> whole >> resident >> shared)) return std::nullopt;
  // If it still lives, what was read was not another process's of the same number.
  pollfd ended{.fd = descriptor(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, 0) != 0) return std::nullopt;
  return (resident - shared) * ::sysconf(_SC_PAGESIZE);
}

void SpawnedProcess::SendKill() {
  MutexLock lock(mutex_);
  if (exit_) return;
  ::kill(-process_id_, SIGKILL);
  ::kill(process_id_, SIGKILL);  // It may have left its group.
}

bool Process::IsExiting() const {
  const std::string path = fmt::format("/proc/{}/stat", process_id_);
  const OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return true;  // Its parent, a template, has reaped it.
  std::array<char, 512> text{};
  if (::read(file.get(), text.data(), text.size() - 1) <= 0) return true;
  const char* after_name = std::strrchr(text.data(), ')');
  unsigned flags = 0;
  if (after_name == nullptr ||
      std::sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1) {
    return false;
  }
  return (flags & kProcessIsExiting) != 0;
}

WorkerExit SpawnedProcess::Reap() {
  MutexLock lock(mutex_);
  if (exit_) return *exit_;
  siginfo_t info{};
  const auto wait = [&](int options) {
    int result;
    do result = ::waitid(P_PID, static_cast<id_t>(process_id_), &info, WEXITED | options);
    while (result < 0 && errno == EINTR);
    return result == 0;
  };
  // As long as the dead leader is not reaped, its group's number cannot be another's.
  if (wait(WNOWAIT)) ::kill(-process_id_, SIGKILL);
  const bool known = wait(0);
  exit_ = known ? ExitOf(info.si_code, info.si_status)
                : WorkerExit{.exit_code = -1,
                             .reason =
                                 "ended, and this program's own SIGCHLD handling took its "
                                 "exit status"};
  return *exit_;
}

}  // namespace penstock
