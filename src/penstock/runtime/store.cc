#include "penstock/runtime/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "penstock/runtime/wire.h"

namespace penstock::runtime {
namespace {

Status CheckMemory(int descriptor, int64_t capacity) {
  const int seals = ::fcntl(descriptor, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    return Status::Invalid("sent a memory file that is not sealed against shrinking");
  }
  struct stat facts{};
  if (::fstat(descriptor, &facts) != 0 || capacity <= 0 || facts.st_size < capacity) {
    return Status::Invalid("sent a memory file of ", facts.st_size, " bytes for ", capacity);
  }
  return Status::OK();
}

}  // namespace

Result<std::shared_ptr<StoredSegment>> SegmentStore::Adopt(uint32_t client, uint64_t id,
                                                           OwnedDescriptor descriptor,
                                                           int64_t capacity) {
  if (ClientOf(id) != client || client == 0) {
    return Status::Invalid("named a segment with a number that is not its own");
  }
  if (segments_.contains(id)) return Status::Invalid("sent the same segment twice");
  PENSTOCK_RETURN_NOT_OK(CheckMemory(descriptor.get(), capacity));
  Entry& entry = segments_[id];
  entry.segment = std::make_unique<StoredSegment>();
  entry.segment->id = id;
  entry.segment->maker = client;
  entry.segment->descriptor = std::move(descriptor);
  entry.segment->capacity = capacity;
  bytes_ += capacity;
  return Lend(entry.segment.get());
}

std::shared_ptr<StoredSegment> SegmentStore::Find(uint32_t client, uint64_t id) {
  const auto found = segments_.find(id);
  if (found == segments_.end() || found->second.segment->maker != client) return nullptr;
  if (auto lent = found->second.lent.lock()) return lent;
  return Lend(found->second.segment.get());
}

std::shared_ptr<StoredSegment> SegmentStore::Lend(StoredSegment* segment) {
  std::shared_ptr<StoredSegment> lent(
      segment, [this](const StoredSegment* returned) { Unreferenced(returned->id); });
  segments_.at(segment->id).lent = lent;
  return lent;
}

void SegmentStore::Unreferenced(uint64_t id) { DropIfUnseen(id); }

void SegmentStore::DropIfUnseen(uint64_t id) {
  const auto found = segments_.find(id);
  const Entry& entry = found->second;
  if (!entry.lent.expired() || !entry.segment->viewers.empty()) return;
  const uint32_t maker = entry.segment->maker;
  bytes_ -= entry.segment->capacity;
  segments_.erase(found);
  if (maker != 0) reusable_(maker, id);
}

void SegmentStore::Named(StoredSegment& segment, uint32_t client) {
  for (auto& [viewer, times] : segment.viewers) {
    if (viewer == client) {
      ++times;
      return;
    }
  }
  segment.viewers.emplace_back(client, 1);
}

void SegmentStore::Unmapped(uint32_t client, uint64_t id) {
  const auto found = segments_.find(id);
  if (found == segments_.end()) return;
  auto& viewers = found->second.segment->viewers;
  for (size_t i = 0; i < viewers.size(); ++i) {
    if (viewers[i].first != client || --viewers[i].second > 0) continue;
    viewers.erase(viewers.begin() + static_cast<std::ptrdiff_t>(i));
    return DropIfUnseen(id);
  }
}

void SegmentStore::ClientGone(uint32_t client) {
  std::vector<uint64_t> unseen;
  for (const auto& [id, entry] : segments_) {
    const size_t gone = std::erase_if(
        entry.segment->viewers, [client](const auto& viewer) { return viewer.first == client; });
    if (gone > 0) unseen.push_back(id);
  }
  for (const uint64_t id : unseen) DropIfUnseen(id);
}

}  // namespace penstock::runtime
