#include "mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

#include "penstock/base/check.h"

namespace penstock::python {
namespace {

constexpr int64_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;

constexpr int kPopulateRead = 22;  // MADV_POPULATE_READ, of Linux 5.14.

// The kernel maps no empty range; batches without bytes still have an address.
size_t AtLeastOnePage(int64_t bytes) { return static_cast<size_t>(bytes < kPage ? kPage : bytes); }

uint8_t* MapSegment(int descriptor, int64_t bytes, int flags) {
  void* data = mmap(nullptr, AtLeastOnePage(bytes), kReadWrite, flags, descriptor, 0);
  const int error = errno;
  close(descriptor);
  if (data == MAP_FAILED) {
    throw std::runtime_error(std::string("cannot map a segment: ") + std::strerror(error));
  }
  return static_cast<uint8_t*>(data);
}

}  // namespace

std::shared_ptr<Mapping> Mapping::OfDescriptor(int descriptor, int64_t capacity) {
  uint8_t* data = MapSegment(descriptor, capacity, MAP_SHARED);
  return std::shared_ptr<Mapping>(new Mapping(data, capacity, /*is_shared=*/true));
}

std::shared_ptr<Mapping> Mapping::CopyOnWrite(int descriptor, int64_t bytes) {
  uint8_t* data = MapSegment(descriptor, bytes, MAP_PRIVATE);
  // One call instead of a fault a page; where the kernel does not know it, faults do as well.
  static_cast<void>(madvise(data, AtLeastOnePage(bytes), kPopulateRead));
  return std::shared_ptr<Mapping>(new Mapping(data, bytes, /*is_shared=*/false));
}

std::shared_ptr<Mapping> Mapping::Anonymous(int64_t bytes) {
  void* data = mmap(nullptr, AtLeastOnePage(bytes), kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  return std::shared_ptr<Mapping>(
      new Mapping(static_cast<uint8_t*>(data), bytes, /*is_shared=*/false));
}

Mapping::~Mapping() { munmap(data_, AtLeastOnePage(capacity_)); }

std::shared_ptr<Mapping> Mapping::Detach(int64_t bytes) {
  const size_t size = AtLeastOnePage(capacity_);
  std::shared_ptr<Mapping> shared;
  if (is_shared_) {
    // An old size of 0 maps the shared pages a second time.
    void* again = mremap(data_, 0, size, MREMAP_MAYMOVE);
    if (again == MAP_FAILED) throw std::bad_alloc();
    shared.reset(new Mapping(static_cast<uint8_t*>(again), capacity_, /*is_shared=*/true));
  }
  void* copy = mmap(nullptr, size, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) throw std::bad_alloc();
  std::memcpy(copy, data_, static_cast<size_t>(bytes));
  void* moved = mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, data_);
  PENSTOCK_CHECK(moved == data_);
  return shared;
}

OwnSegment::OwnSegment(int64_t bytes) {
  const size_t size = AtLeastOnePage(bytes);
  descriptor_ = memfd_create("penstock-output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor_ < 0) throw std::bad_alloc();
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0 ||
      fcntl(descriptor_, F_ADD_SEALS, seals) != 0) {
    close(descriptor_);
    throw std::bad_alloc();
  }
  mapping_ = Mapping::OfDescriptor(dup(descriptor_), static_cast<int64_t>(size));
}

OwnSegment::~OwnSegment() { close(descriptor_); }

}  // namespace penstock::python
