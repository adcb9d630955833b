#include "penstock/ledger/ledger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/ledger/log_compaction.h"

namespace penstock {
namespace {

Status Taken(const std::string& by) {
  return MakeError(ErrorKind::kOutputTaken,
                   fmt::format("Another run writes this output; wait for it, end it, or write "
                               "elsewhere; got: {}",
                               by.empty() ? "a run that does not say which it is" : by));
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::Open(std::unique_ptr<LogStore> store, std::string writer) {
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(store), std::move(writer)));
  PENSTOCK_RETURN_NOT_OK(ledger->Take());
  return ledger;
}

/// Learns what is in the log.
Status Ledger::Take() {
  last_ = {};
  identity_.clear();
  write_.clear();
  PENSTOCK_TRY(const std::optional<int64_t> last, LastEntry(*store_));
  has_entries_ = last.has_value();
  if (!has_entries_) return Status::OK();
  PENSTOCK_TRY(last_, ReadEntry(*store_, *last));
  PENSTOCK_TRY(const Commit begin, ReadEntry(*store_, last_.last_begin));
  identity_ = begin.identity;
  write_ = begin.write;
  return Status::OK();
}

Ledger::Found Ledger::found() const {
  if (!has_entries_) return Found::kNothing;
  return IsFinished(last_.kind) ? Found::kFinished : Found::kUnfinished;
}

std::string Ledger::DifferenceFrom(const JobIdentity& identity,
                                   const IdentityParts& new_parts) const {
  if (!has_entries_) return "";
  std::set<std::string> changed;
  for (const auto* side : {&identity, &identity_}) {
    for (const auto& [name, digest] : *side) {
      const auto here = identity.find(name);
      const auto there = identity_.find(name);
      const bool same =
          here != identity.end() && there != identity_.end() && here->second == there->second;
      const bool is_new = there == identity_.end() && new_parts.contains(name);
      if (!same && !is_new && !last_.ignored.contains(name)) changed.insert(name);
    }
  }
  if (changed.empty()) return "";
  return fmt::format("{} {} changed", fmt::join(changed, ", "),
                     changed.size() == 1 ? "has" : "have");
}

Result<std::vector<PartFile>> Ledger::Unpublished() { return FilesOf(last_.published); }

Result<std::vector<PartFile>> Ledger::Files() { return FilesOf(0); }

/// Returns the entries from `first` to the last that this ledger knows of.
Result<std::vector<Commit>> Ledger::EntriesFrom(int64_t first) {
  if (!has_entries_ || first > last_.number) return std::vector<Commit>();
  PENSTOCK_TRY(std::vector<Commit> commits, ReadEntries(*store_, first));
  std::erase_if(commits, [this](const Commit& commit) { return commit.number > last_.number; });
  return commits;
}

Result<std::vector<PartFile>> Ledger::FilesOf(int64_t first) {
  std::vector<PartFile> files;
  PENSTOCK_TRY(std::vector<Commit> commits, EntriesFrom(first));
  for (Commit& commit : commits) {
    std::ranges::move(commit.letters, std::back_inserter(files));
    std::ranges::move(commit.files, std::back_inserter(files));
  }
  return files;
}

Result<Ledger::Dead> Ledger::FindDead() {
  Dead dead;
  PENSTOCK_TRY(std::vector<Commit> commits, EntriesFrom(0));
  for (Commit& commit : commits) {
    if (!commit.taken.empty()) ++dead.retries;
    std::erase_if(dead.letters, [&commit](const PartFile& letters) {
      return std::ranges::find(commit.taken, letters.name, &PartFile::name) != commit.taken.end();
    });
    std::ranges::move(commit.letters, std::back_inserter(dead.letters));
  }
  return dead;
}

Result<std::vector<PartFile>> Ledger::TakenAway() {
  std::vector<PartFile> files;
  PENSTOCK_TRY(std::vector<Commit> commits, EntriesFrom(last_.published));
  for (Commit& commit : commits) std::ranges::move(commit.taken, std::back_inserter(files));
  return files;
}

Result<bool> Ledger::TidyUp() {
  if (!has_lock_) {
    has_lock_ = store_->Lock().ValueOr(false);
    if (!has_lock_) return false;
    PENSTOCK_RETURN_NOT_OK(Take());
  }
  if (last_.kind == CommitKind::kRetry) PENSTOCK_RETURN_NOT_OK(End({}));
  return true;
}

Status Ledger::Begin(const JobIdentity& identity, std::string write) {
  PENSTOCK_RETURN_NOT_OK(store_->Create());
  if (!has_lock_) {
    PENSTOCK_TRY(has_lock_, store_->Lock());
    if (!has_lock_) return Taken(store_->Holder());
    PENSTOCK_RETURN_NOT_OK(Take());  // Who had it until now may have gone on meanwhile.
  }
  Commit commit = Next(CommitKind::kBegin, {});
  commit.epoch = last_.epoch + 1;
  commit.identity = identity;
  commit.write = write;
  commit.last_begin = commit.number;
  identity_ = identity;
  write_ = std::move(write);
  PENSTOCK_RETURN_NOT_OK(Put(std::move(commit)));
  Compact();
  return Status::OK();
}

Status Ledger::BeginRetry() {
  Commit commit = Next(CommitKind::kRetry, {});
  commit.epoch = last_.epoch + 1;
  return Put(std::move(commit));
}

Status Ledger::Clear() {
  PENSTOCK_RETURN_NOT_OK(store_->Clear());
  return Take();
}

void Ledger::RemoveIfNothingIsDone() {
  if (has_lock_ && last_.done.empty() && found() != Found::kFinished) store_->Remove();
}

Status Ledger::Add(Progress progress) {
  PENSTOCK_RETURN_NOT_OK(Put(Next(CommitKind::kChunks, std::move(progress))));
  Compact();
  return Status::OK();
}

Status Ledger::End(Progress progress) { return Put(Next(CommitKind::kEnd, std::move(progress))); }

void Ledger::Published() { last_.published = last_.number + 1; }

/// Returns the entry after the last one, with what that one knew and what is new.
Commit Ledger::Next(CommitKind kind, Progress progress) const {
  Commit next = last_;
  next.kind = kind;
  next.number = has_entries_ ? last_.number + 1 : 0;
  next.writer = writer_;
  next.identity.clear();
  next.write.clear();
  for (const ChunkRange& range : progress.chunks) next.done.Add(range);
  next.rows.in += progress.rows.in;
  next.rows.out += progress.rows.out;
  next.rows.dead += progress.rows.dead;
  const bool tells = next.rows.filtered && progress.rows.filtered;
  next.rows.filtered =
      tells ? std::optional(*next.rows.filtered + *progress.rows.filtered) : std::nullopt;
  next.files_done += static_cast<int64_t>(progress.files.size());
  next.chunks = std::move(progress.chunks);
  next.files = std::move(progress.files);
  next.letters = std::move(progress.letters);
  next.taken = std::move(progress.taken);
  return next;
}

Status Ledger::Put(Commit commit) {
  PENSTOCK_TRY(const std::string text, CommitText(commit));
  PENSTOCK_TRY(const bool put, store_->PutIfAbsent(commit.number, text));
  if (!put) return Taken(store_->Holder());
  PENSTOCK_TRY(const bool is_late, IsInRun(*store_, commit.number));
  if (is_late) {
    PENSTOCK_RETURN_NOT_OK(store_->Drop({commit.number}, {}));
    return Taken(store_->Holder());
  }
  last_ = std::move(commit);
  has_entries_ = true;
  return Status::OK();
}

/// Compacts the log now and then. Where that fails nothing is lost, and the next time may do it.
void Ledger::Compact() {
  const bool is_time = last_.kind == CommitKind::kBegin || last_.number % kEntriesOfRun == 0;
  if (is_time) static_cast<void>(CompactLog(*store_, last_.number, last_.last_begin));
}

}  // namespace penstock
