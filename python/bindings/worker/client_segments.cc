#include "client_segments.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

namespace penstock::python {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kKeepsDescriptorBytes = 1 << 20;  // A process has not many.
constexpr size_t kSweepBeyond = 64;

uint8_t* MapPages(int descriptor, int64_t bytes, int protection) {
  void* data = mmap(nullptr, static_cast<size_t>(bytes), protection, MAP_SHARED, descriptor, 0);
  return data == MAP_FAILED ? nullptr : static_cast<uint8_t*>(data);
}

[[noreturn]] void RefuseToMap(int error) {
  throw std::runtime_error(std::string("cannot map an object: ") + std::strerror(error));
}

}  // namespace

void Unmapped::Add(uint64_t segment, int64_t times) {
  const MutexLock lock(mutex_);
  ids_.insert(ids_.end(), static_cast<size_t>(times), segment);
}

std::vector<uint64_t> Unmapped::Take() {
  const MutexLock lock(mutex_);
  return std::exchange(ids_, {});
}

std::shared_ptr<SegmentMemory> SegmentMemory::Map(int descriptor, int64_t capacity) {
  uint8_t* data = capacity > 0 ? MapPages(descriptor, capacity, PROT_READ) : nullptr;
  const int error = errno;
  const bool is_kept = data != nullptr && capacity >= kKeepsDescriptorBytes;
  if (!is_kept) close(descriptor);
  if (data == nullptr) RefuseToMap(error);
  return std::shared_ptr<SegmentMemory>(
      new SegmentMemory(0, is_kept ? descriptor : -1, data, capacity));
}

std::shared_ptr<SegmentMemory> SegmentMemory::Make(uint64_t id, int64_t capacity) {
  const int descriptor = memfd_create("penstock-object", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) throw std::bad_alloc();
  uint8_t* data = nullptr;
  if (ftruncate(descriptor, static_cast<off_t>(capacity)) == 0 &&
      fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    data = MapPages(descriptor, capacity, PROT_READ | PROT_WRITE);
  }
  if (data == nullptr) {
    close(descriptor);
    throw std::bad_alloc();
  }
  return std::shared_ptr<SegmentMemory>(new SegmentMemory(id, descriptor, data, capacity));
}

SegmentMemory::~SegmentMemory() {
  munmap(data_, static_cast<size_t>(capacity_));
  if (descriptor_ >= 0) close(descriptor_);
}

PrivateBytes::PrivateBytes(std::shared_ptr<const void> keeper, const SegmentMemory& memory,
                           std::span<const uint8_t> bytes)
    : keeper_(std::move(keeper)) {
  const auto offset = static_cast<size_t>(bytes.data() - memory.data());
  const size_t within_page = offset % kPage;
  const size_t size = bytes.size() + within_page;
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                    memory.descriptor(), static_cast<off_t>(offset - within_page));
  if (data == MAP_FAILED) RefuseToMap(errno);
  mapped_ = {static_cast<uint8_t*>(data), size};
  bytes_ = mapped_.subspan(within_page);
}

PrivateBytes::~PrivateBytes() { munmap(mapped_.data(), mapped_.size()); }

SegmentView::~SegmentView() { unmapped_->Add(id_, times_); }

int64_t OwnSegments::SizeFor(int64_t bytes) {
  // Quarters of a power of two: at most a fifth is wasted.
  const int64_t pages = (bytes + kPage - 1) / kPage;
  const auto step =
      static_cast<int64_t>(std::max(uint64_t{1}, std::bit_floor(static_cast<uint64_t>(pages)) / 4));
  return (pages + step - 1) / step * step * kPage;
}

std::shared_ptr<SegmentMemory> OwnSegments::TakeIdle(int64_t bytes) {
  const MutexLock lock(mutex_);
  for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
    const int64_t capacity = (*idle)->capacity();
    if (capacity < bytes || capacity > 2 * SizeFor(bytes)) continue;
    if (idle->use_count() > 1) continue;  // Somebody here looks at what it held.
    std::shared_ptr<SegmentMemory> taken = std::move(*idle);
    idle_.erase(std::next(idle).base());
    idle_bytes_ -= capacity;
    return taken;
  }
  return nullptr;
}

void OwnSegments::Sent(std::shared_ptr<SegmentMemory> memory) {
  const MutexLock lock(mutex_);
  const uint64_t id = memory->id();
  sent_[id] = std::move(memory);
}

void OwnSegments::GiveBack(std::shared_ptr<SegmentMemory> memory) {
  const MutexLock lock(mutex_);
  Keep(std::move(memory));
}

void OwnSegments::Keep(std::shared_ptr<SegmentMemory> memory) {
  idle_bytes_ += memory->capacity();
  idle_.push_back(std::move(memory));
  while (idle_bytes_ > kIdleBytesMax) {
    idle_bytes_ -= idle_.front()->capacity();
    idle_.pop_front();
  }
}

void OwnSegments::Reusable(uint64_t id) {
  const MutexLock lock(mutex_);
  const auto found = sent_.find(id);
  if (found == sent_.end()) return;
  std::shared_ptr<SegmentMemory> memory = std::move(found->second);
  sent_.erase(found);
  Keep(std::move(memory));
}

std::shared_ptr<SegmentMemory> OwnSegments::Find(uint64_t id) {
  const MutexLock lock(mutex_);
  const auto found = sent_.find(id);
  return found == sent_.end() ? nullptr : found->second;
}

std::shared_ptr<SegmentView> SegmentViews::Find(uint64_t id) const {
  const auto found = views_.find(id);
  return found == views_.end() ? nullptr : found->second.lock();
}

std::shared_ptr<SegmentView> SegmentViews::Add(uint64_t id, std::shared_ptr<SegmentMemory> memory) {
  if (views_.size() > 2 * swept_ + kSweepBeyond) {
    std::erase_if(views_, [](const auto& view) { return view.second.expired(); });
    swept_ = views_.size();
  }
  auto view = std::make_shared<SegmentView>(id, std::move(memory), unmapped_);
  views_[id] = view;
  return view;
}

}  // namespace penstock::python
