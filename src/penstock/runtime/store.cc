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

SegmentStore::SegmentStore(Options options)
    : options_(std::move(options)), spiller_(options_.spill_folder, options_.spilled) {}

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
  entry.segment->store = this;
  entry.segment->id = id;
  entry.segment->serial = ++last_serial_;
  entry.segment->maker = client;
  entry.segment->descriptor = std::move(descriptor);
  entry.segment->capacity = capacity;
  entry.segment->use = uses_.insert(uses_.end(), id);
  bytes_ += capacity;
  std::shared_ptr<StoredSegment> lent = Lend(entry.segment.get());
  ++lent->wanted;  // Until it is in its place.
  MakeRoom();
  --lent->wanted;
  return lent;
}

std::shared_ptr<StoredSegment> SegmentStore::Find(uint32_t client, uint64_t id) {
  const auto found = segments_.find(id);
  if (found == segments_.end() || found->second.segment->maker != client) return nullptr;
  if (auto lent = found->second.lent.lock()) return lent;
  return Lend(found->second.segment.get());
}

std::shared_ptr<StoredSegment> SegmentStore::Lend(StoredSegment* segment) {
  std::shared_ptr<StoredSegment> lent(
      segment, [this](const StoredSegment* returned) { DropIfUnseen(returned->id); });
  segments_.at(segment->id).lent = lent;
  return lent;
}

void SegmentStore::DropIfUnseen(uint64_t id) {
  const auto found = segments_.find(id);
  StoredSegment& segment = *found->second.segment;
  if (!found->second.lent.expired() || !segment.viewers.empty()) return;
  const uint32_t maker = segment.maker;
  if (segment.in_memory()) {
    bytes_ -= segment.capacity;
    uses_.erase(segment.use);
  }
  ForgetCopy(segment);
  segments_.erase(found);
  if (maker != 0) options_.reusable(maker, id);
}

void SegmentStore::Named(StoredSegment& segment, uint32_t client) {
  uses_.splice(uses_.end(), uses_, segment.use);
  for (auto& [viewer, times] : segment.viewers) {
    if (viewer != client) continue;
    ++times;
    return;
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
    DropIfUnseen(id);
    return MakeRoom();
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
  MakeRoom();
}

}  // namespace penstock::runtime
