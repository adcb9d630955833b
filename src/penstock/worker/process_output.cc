#include "penstock/worker/process_output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace penstock {
namespace {

constexpr size_t kChunkBytes = size_t{64} << 10;             // What a pipe holds.
constexpr size_t kReadBytesAtOnce = size_t{512} << 10;       // Of one stream, before others' turn.
constexpr const char* kCrash = "Fatal Python error:";        // How faulthandler begins.
constexpr const char* kAfterCrash = "\nExtension modules:";  // A long list, of no use here.

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::shared_ptr<ProcessOutput>> ProcessOutput::Make(const std::string& name,
                                                           std::shared_ptr<WorkerLines> lines,
                                                           Ends* ends) {
  std::shared_ptr<ProcessOutput> made(new ProcessOutput(name, lines));
  PENSTOCK_TRY(Pipe output, MakePipe());
  PENSTOCK_TRY(Pipe errors, MakePipe());
  MakeNonBlocking(output.out.get());
  MakeNonBlocking(errors.out.get());
  made->output_ = std::move(output.out);
  made->errors_ = std::move(errors.out);
  *ends = {.output = std::move(output.in), .errors = std::move(errors.in)};
  return made;
}

bool ProcessOutput::Read(StandardStream stream) {
  MutexLock lock(mutex_);
  return ReadNow(stream);
}

bool ProcessOutput::ReadNow(StandardStream stream) {
  std::array<char, kChunkBytes> chunk;
  LineCutter& cutter = stream == StandardStream::kOutput ? output_lines_ : error_lines_;
  for (size_t came = 0; came < kReadBytesAtOnce;) {
    const ssize_t bytes = ::read(descriptor(stream), chunk.data(), chunk.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno == EAGAIN;
    if (bytes == 0) return false;
    came += static_cast<size_t>(bytes);
    cutter.Take({chunk.data(), static_cast<size_t>(bytes)}, NowNs());
  }
  return true;
}

void ProcessOutput::Rename(const std::string& name) {
  MutexLock lock(mutex_);
  if (output_.get() >= 0) {
    (void)ReadNow(StandardStream::kOutput);
    (void)ReadNow(StandardStream::kErrors);
  }
  output_lines_.SetName(name);
  error_lines_.SetName(name);
}

void ProcessOutput::Finish() {
  MutexLock lock(mutex_);
  if (output_.get() < 0) return;
  (void)ReadNow(StandardStream::kOutput);
  (void)ReadNow(StandardStream::kErrors);
  output_lines_.End();
  error_lines_.End();
  output_ = OwnedDescriptor();
  errors_ = OwnedDescriptor();
}

std::string ProcessOutput::LastWords() const {
  MutexLock lock(mutex_);
  std::string crash = error_lines_.LastFrom(kCrash).value_or("");
  if (crash.empty()) return error_lines_.LastLines();
  crash.resize(std::min(crash.size(), crash.find(kAfterCrash)));
  while (!crash.empty() && crash.back() == '\n') crash.pop_back();
  return crash;
}

}  // namespace penstock
