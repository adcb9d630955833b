#include "penstock/runtime/spill.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace penstock::runtime {
namespace {

constexpr int64_t kBytesAtOnce = int64_t{8} << 20;

Status LastError(const char* what) {
  return Status::IOError(what, ": ", std::generic_category().message(errno));
}

/// A mapping of a memory file.
class Mapped {
 public:
  Mapped(int descriptor, int64_t bytes, int protection)
      : bytes_(static_cast<size_t>(bytes)),
        data_(::mmap(nullptr, bytes_, protection, MAP_SHARED, descriptor, 0)) {}
  ~Mapped() {
    if (ok()) ::munmap(data_, bytes_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  bool ok() const { return data_ != MAP_FAILED; }
  char* at(int64_t offset) const { return static_cast<char*>(data_) + offset; }

 private:
  const size_t bytes_;
  void* const data_;
};

Status WriteMemory(int file, int memory, int64_t offset, int64_t bytes) {
  const Mapped mapped(memory, bytes, PROT_READ);
  if (!mapped.ok()) return LastError("a segment cannot be mapped to be spilled");
  for (int64_t done = 0; done < bytes;) {
    const auto now = static_cast<size_t>(std::min(bytes - done, kBytesAtOnce));
    const ssize_t written = ::pwrite(file, mapped.at(done), now, offset + done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return LastError("objects cannot be spilled to disk");
    done += written;
  }
  return Status::OK();
}

Result<OwnedDescriptor> ReadMemory(int file, int64_t offset, int64_t bytes) {
  OwnedDescriptor memory(::memfd_create("penstock", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory.get() < 0 || ::ftruncate(memory.get(), bytes) != 0) {
    return LastError("there is no memory for what was spilled");
  }
  const Mapped mapped(memory.get(), bytes, PROT_READ | PROT_WRITE);
  if (!mapped.ok()) return LastError("there is no memory for what was spilled");
  for (int64_t done = 0; done < bytes;) {
    const auto now = static_cast<size_t>(std::min(bytes - done, kBytesAtOnce));
    const ssize_t read = ::pread(file, mapped.at(done), now, offset + done);
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return LastError("what was spilled to disk cannot be read");
    done += read;
  }
  (void)::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return memory;
}

}  // namespace

Spiller::~Spiller() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    wishes_.clear();
    wished_.NotifyAll();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void Spiller::Write(uint64_t wish, OwnedDescriptor memory, int64_t offset, int64_t bytes) {
  Add({.kind = WishKind::kWrite,
       .number = wish,
       .memory = std::move(memory),
       .offset = offset,
       .bytes = bytes});
}

void Spiller::Read(uint64_t wish, int64_t offset, int64_t bytes) {
  Add({.kind = WishKind::kRead, .number = wish, .memory = {}, .offset = offset, .bytes = bytes});
}

void Spiller::Forget(int64_t offset, int64_t bytes) {
  Add({.kind = WishKind::kForget, .number = 0, .memory = {}, .offset = offset, .bytes = bytes});
}

std::vector<Spiller::Outcome> Spiller::TakeOutcomes() {
  MutexLock lock(mutex_);
  return std::exchange(outcomes_, {});
}

void Spiller::Add(Wish wish) {
  MutexLock lock(mutex_);
  wishes_.push_back(std::move(wish));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  wished_.NotifyAll();
}

void Spiller::Run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // The program's signals are for its own threads.
  ::pthread_setname_np(::pthread_self(), "penstock-spill");
  while (true) {
    Wish wish;
    {
      MutexLock lock(mutex_);
      while (wishes_.empty() && !closed_) wished_.Wait(mutex_);
      if (closed_) return;
      wish = std::move(wishes_.front());
      wishes_.pop_front();
    }
    Outcome outcome = Fulfil(wish);
    if (wish.kind == WishKind::kForget) continue;
    {
      MutexLock lock(mutex_);
      outcomes_.push_back(std::move(outcome));
    }
    done_();
  }
}

Spiller::Outcome Spiller::Fulfil(Wish& wish) {
  Outcome outcome{.wish = wish.number, .status = OpenFile(), .memory = {}};
  if (!outcome.status.ok()) return outcome;
  switch (wish.kind) {
    case WishKind::kWrite:
      outcome.status = WriteMemory(file_.get(), wish.memory.get(), wish.offset, wish.bytes);
      break;
    case WishKind::kRead: {
      Result<OwnedDescriptor> memory = ReadMemory(file_.get(), wish.offset, wish.bytes);
      outcome.status = memory.status();
      if (memory.ok()) outcome.memory = *std::move(memory);
      break;
    }
    case WishKind::kForget:
      (void)::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, wish.offset,
                        wish.bytes);
      break;
  }
  return outcome;
}

/// Opens a file of which nobody else knows, and which is gone with this process.
Status Spiller::OpenFile() {
  if (file_.get() >= 0) return Status::OK();
  file_ = OwnedDescriptor(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file_.get() >= 0) return Status::OK();
  std::string path = folder_ + "/penstock-spill-XXXXXX";  // Not every file system can do that.
  file_ = OwnedDescriptor(::mkostemp(path.data(), O_CLOEXEC));
  if (file_.get() < 0) return LastError("objects cannot be spilled to disk");
  ::unlink(path.c_str());
  return Status::OK();
}

}  // namespace penstock::runtime
