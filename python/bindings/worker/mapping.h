#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace penstock::python {

/// A piece of memory that this process maps: a shared segment, or pages of its own.
class Mapping {
 public:
  /// Maps a segment for reading and writing; takes the descriptor and closes it. Throws
  /// std::runtime_error when the kernel refuses.
  static std::shared_ptr<Mapping> OfDescriptor(int descriptor, int64_t capacity);

  /// Maps a segment's first `bytes` so that what is written stays here: a page is copied when it is
  /// written to. Takes the descriptor and closes it. Throws as OfDescriptor.
  static std::shared_ptr<Mapping> CopyOnWrite(int descriptor, int64_t bytes);

  /// Fresh pages, not shared. Throws std::bad_alloc.
  static std::shared_ptr<Mapping> Anonymous(int64_t bytes);

  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  uint8_t* data() const { return data_; }
  int64_t capacity() const { return capacity_; }

  /// Leaves a private copy of the first `bytes` at this mapping's own address, so that whoever
  /// still looks at it sees no later change, and returns the shared pages mapped elsewhere; null
  /// for a mapping that is not shared.
  std::shared_ptr<Mapping> Detach(int64_t bytes);

 private:
  Mapping(uint8_t* data, int64_t capacity, bool is_shared)
      : data_(data), capacity_(capacity), is_shared_(is_shared) {}
  uint8_t* const data_;
  const int64_t capacity_;
  const bool is_shared_;
};

/// A sealed memfd that is written once and then sent away.
class OwnSegment {
 public:
  /// Throws std::bad_alloc when there is no memory for it.
  explicit OwnSegment(int64_t bytes);
  ~OwnSegment();
  OwnSegment(const OwnSegment&) = delete;
  OwnSegment& operator=(const OwnSegment&) = delete;

  uint8_t* data() const { return mapping_->data(); }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  std::shared_ptr<Mapping> mapping_;
};

}  // namespace penstock::python
