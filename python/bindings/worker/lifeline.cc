#include "lifeline.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "penstock/worker/wire.h"

namespace penstock::python {
namespace {

constexpr int kOutOfReach = 500;  // Of functions that close what they find.

int held = -1;  // The lifeline, by a description of this process's own.

// What functions have started is in the worker's group, and would outlive it.
void EndGroup(int /*signal*/) {
  if (getpgrp() == getpid()) kill(0, SIGKILL);
  _exit(1);
}

bool IsPipe(int descriptor) {
  struct stat facts{};
  return fstat(descriptor, &facts) == 0 && S_ISFIFO(facts.st_mode);
}

// The kernel sends SIGKILL, which nothing can block, to the owner of a pipe's end for reading when
// the last end for writing closes. The owner belongs to the description of the open file, which all
// workers would share if each did not open it anew.
void HoldLifeline() {
  static const bool given = IsPipe(kLifeline);  // As the process begins: later it may be another.
  if (!given) return;
  fcntl(kLifeline, F_SETFD, FD_CLOEXEC);
  if (held >= 0) close(held);
  const int opened = open("/proc/self/fd/4", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  static_assert(kLifeline == 4);
  const int high = fcntl(opened, F_DUPFD_CLOEXEC, kOutOfReach);
  held = high >= 0 ? high : opened;
  if (high >= 0) close(opened);
  const bool leads = getpgrp() == getpid();
  const f_owner_ex owner{.type = leads ? F_OWNER_PGRP : F_OWNER_PID, .pid = getpid()};
  fcntl(held, F_SETOWN_EX, &owner);
  fcntl(held, F_SETSIG, SIGKILL);
  fcntl(held, F_SETFL, O_NONBLOCK | O_ASYNC);
  pollfd ended{.fd = held, .events = 0, .revents = 0};
  if (held >= 0 && poll(&ended, 1, 0) > 0) EndGroup(SIGKILL);  // It closed before the lines above.
}

}  // namespace

void DieWithParent(int64_t parent) {
  struct sigaction action{};
  action.sa_handler = EndGroup;
  sigaction(SIGRTMAX, &action, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGRTMAX);
  if (getppid() != parent) EndGroup(SIGRTMAX);  // It died before the line above.
  HoldLifeline();
}

}  // namespace penstock::python
