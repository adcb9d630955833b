#include <fcntl.h>

#include <utility>

#include "penstock/runtime/store.h"
#include "penstock/runtime/wire.h"

namespace penstock::runtime {
namespace {

constexpr int kDescriptorMin = 16;

}  // namespace

bool SegmentStore::IsOver() const {
  return bytes_ - leaving_ > options_.bytes_max ||
         static_cast<int64_t>(uses_.size()) - leaving_segments_ > options_.segments_max;
}

/// Has segments leave memory until what stays is within the limits, or none may.
void SegmentStore::MakeRoom() {
  for (auto use = uses_.begin(); use != uses_.end() && IsOver();) {
    const Entry& entry = segments_.at(*use++);
    if (!MayLeave(entry)) continue;
    if (entry.segment->offset >= 0) {
      LeaveMemory(*entry.segment);
    } else {
      BeginToLeave(*entry.segment);
    }
  }
}

void SegmentStore::Tick(int64_t now_ns) {
  if (full_.ok() || now_ns - tried_ns_ < kRetryNs) return;
  tried_ns_ = now_ns;
  MakeRoom();
}

bool SegmentStore::MayLeave(const Entry& entry) const {
  const StoredSegment& segment = *entry.segment;
  return segment.residence == Residence::kMemory && segment.wanted == 0 &&
         segment.viewers.empty() && !entry.lent.expired();
}

void SegmentStore::BeginToLeave(StoredSegment& segment) {
  OwnedDescriptor memory(::fcntl(segment.descriptor.get(), F_DUPFD_CLOEXEC, kDescriptorMin));
  if (memory.get() < 0) return;
  segment.residence = Residence::kLeaving;
  leaving_ += segment.capacity;
  ++leaving_segments_;
  const int64_t offset = space_.Take(segment.capacity);
  wishes_[++last_wish_] = {.segment = segment.id,
                           .serial = segment.serial,
                           .offset = offset,
                           .bytes = segment.capacity,
                           .leaves = true};
  spiller_.Write(last_wish_, std::move(memory), offset, segment.capacity);
}

void SegmentStore::Want(StoredSegment& segment) {
  ++segment.wanted;
  if (segment.residence != Residence::kDisk) return;
  segment.residence = Residence::kComing;
  wishes_[++last_wish_] = {.segment = segment.id,
                           .serial = segment.serial,
                           .offset = segment.offset,
                           .bytes = segment.capacity,
                           .leaves = false};
  spiller_.Read(last_wish_, segment.offset, segment.capacity);
}

void SegmentStore::Unwant(StoredSegment& segment) {
  if (--segment.wanted == 0) MakeRoom();
}

/// Returns the segment that a wish was about, null when it is gone.
StoredSegment* SegmentStore::SegmentOf(const Wish& wish) {
  const auto found = segments_.find(wish.segment);
  const bool is_it = found != segments_.end() && found->second.segment->serial == wish.serial;
  return is_it ? found->second.segment.get() : nullptr;
}

std::vector<std::pair<uint64_t, Status>> SegmentStore::TakeSpilled() {
  std::vector<std::pair<uint64_t, Status>> came;
  for (Outcome& outcome : spiller_.TakeOutcomes()) {
    const Wish wish = wishes_.extract(outcome.wish).mapped();
    StoredSegment* segment = SegmentOf(wish);
    const bool is_vain = wish.leaves && !outcome.status.ok();
    if (segment == nullptr || is_vain) {
      spiller_.Forget(wish.offset, wish.bytes);
      space_.Give(wish.offset, wish.bytes);
    }
    if (wish.leaves) {
      leaving_ -= wish.bytes;
      --leaving_segments_;
      full_ = outcome.status;
      if (segment != nullptr) Left(*segment, wish.offset, outcome.status);
    } else if (segment != nullptr) {
      came.emplace_back(wish.segment, Came(*segment, outcome));
    }
  }
  if (full_.ok()) MakeRoom();
  return came;
}

/// A segment has been written, or could not be.
void SegmentStore::Left(StoredSegment& segment, int64_t offset, const Status& status) {
  segment.residence = Residence::kMemory;
  if (!status.ok()) return;
  segment.offset = offset;
  spilled_bytes_ += segment.capacity;
  if (MayLeave(segments_.at(segment.id))) LeaveMemory(segment);
}

/// Gives the memory of a segment back to who made it; from here on it is the hub's.
void SegmentStore::LeaveMemory(StoredSegment& segment) {
  const uint64_t id = segment.id;
  const uint32_t maker = std::exchange(segment.maker, 0);
  bytes_ -= segment.capacity;
  segment.residence = Residence::kDisk;
  segment.descriptor = OwnedDescriptor();
  uses_.erase(segment.use);
  if (maker == 0) return;
  auto moved = segments_.extract(id);
  segment.id = MakeId(0, ++last_own_);
  moved.key() = segment.id;
  segments_.insert(std::move(moved));
  options_.reusable(maker, id);
}

Status SegmentStore::Came(StoredSegment& segment, Outcome& outcome) {
  segment.residence = outcome.status.ok() ? Residence::kMemory : Residence::kDisk;
  if (!outcome.status.ok()) return outcome.status;
  segment.descriptor = std::move(outcome.memory);
  bytes_ += segment.capacity;
  segment.use = uses_.insert(uses_.end(), segment.id);
  return Status::OK();
}

void SegmentStore::ForgetCopy(StoredSegment& segment) {
  if (segment.offset < 0) return;
  spilled_bytes_ -= segment.capacity;
  if (segment.residence == Residence::kComing) return;  // It is being read: TakeSpilled does it.
  spiller_.Forget(segment.offset, segment.capacity);
  space_.Give(segment.offset, segment.capacity);
}

}  // namespace penstock::runtime
