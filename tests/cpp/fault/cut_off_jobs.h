#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "fault/fault_calls.h"
#include "fault/reference_jobs.h"

namespace penstock {

/// At every how-many-th call the harnesses look: PENSTOCK_FAULT_STRIDE, 1: at each.
int64_t FaultStride();

struct Ended {
  bool killed = false;
  bool failed = false;
  int64_t calls = 0;
  std::string why;  // It failed; cut to what fits into a pipe.
};

/// Runs work in a process of its own, whose engine is none of this one's.
template <typename Work>
Ended RunForked(Work work) {
  TakeCallsCounted();
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == nullptr) _exit(3);
    const Status done = work();
    const std::string why = done.ok() ? "" : done.ToString().substr(0, PIPE_BUF);
    if (write(ends[1], why.data(), why.size()) < 0) _exit(4);
    _exit(done.ok() ? 0 : 1);
  }
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  std::string why(PIPE_BUF, '\0');
  why.resize(static_cast<size_t>(std::max<ssize_t>(read(ends[0], why.data(), why.size()), 0)));
  close(ends[0]);
  return {.killed = WIFSIGNALED(status),
          .failed = WIFEXITED(status) && WEXITSTATUS(status) != 0,
          .calls = TakeCallsCounted(),
          .why = std::move(why)};
}

/// A job that is run again and again into `<folder>/out`, with faults, and what it is to give.
class CutOffJob {
 public:
  /// Runs it once, into `<input>/clean`; what it reads is written into `<input>/in` first.
  CutOffJob(const ReferenceJob& job, std::string input, std::string folder);

  int64_t calls() const { return calls_; }

  /// Runs the job in a process of its own.
  Ended Run(const Fault& fault) { return RunInto(folder_ + "/out", fault); }

  /// Checks that readers see whole files of a clean run alone (of one with a retry, also those from
  /// before that), then that the next run makes the
  /// output whole and leaves nothing else; removes it. `where` begins messages.
  void ExpectGoesOn(const std::string& where);

 private:
  Ended RunInto(const std::string& path, const Fault& fault);

  const ReferenceJob job_;
  const std::string input_;
  const std::string folder_;
  int64_t calls_ = 0;
  std::map<std::string, std::string> wanted_;
  std::map<std::string, std::string> before_retry_;
};

/// The job's name as that of a test.
std::string TestNameOf(const ::testing::TestParamInfo<ReferenceJob>& info);

}  // namespace penstock
