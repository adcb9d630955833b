#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/ledger/log_store.h"

namespace penstock {

/// What several stores of one place share: its entries and its lock.
struct MemoryPlace {
  std::map<int64_t, std::string> entries;
  std::map<std::pair<int64_t, int64_t>, std::string> runs;  // By first and negated last entry.
  bool locked = false;
  bool knows_locks = true;
  int puts_until_failure = -1;  // The n-th put fails from now on, before it did anything; -1: none.
  bool fails_after = false;     // … or after it.
  std::function<void()> before_put;  // Called once, and forgotten.
};

/// A log in memory. Its lock goes with it, as a process's does.
class MemoryLogStore final : public LogStore {
 public:
  explicit MemoryLogStore(std::shared_ptr<MemoryPlace> place) : place_(std::move(place)) {}
  ~MemoryLogStore() override {
    if (has_lock_) place_->locked = false;
  }

  Status Create() override { return Status::OK(); }

  Result<bool> Lock() override {
    if (!place_->knows_locks) return true;
    if (place_->locked) return false;
    place_->locked = has_lock_ = true;
    return true;
  }

  std::string Holder() override { return "the holder"; }

  Result<std::vector<int64_t>> List() override {
    std::vector<int64_t> numbers;
    for (const auto& [number, text] : place_->entries) numbers.push_back(number);
    return numbers;
  }

  Result<std::string> Read(int64_t number) override {
    const auto found = place_->entries.find(number);
    if (found == place_->entries.end()) return Status::IOError("no entry ", number);
    return found->second;
  }

  Result<bool> PutIfAbsent(int64_t number, const std::string& text) override {
    if (place_->before_put) std::exchange(place_->before_put, nullptr)();
    const bool fails = place_->puts_until_failure >= 0 && place_->puts_until_failure-- == 0;
    if (fails && !place_->fails_after) return Status::IOError("the disk is full");
    const bool put = place_->entries.try_emplace(number, text).second;
    if (fails) return Status::IOError("the disk is gone");
    return put;
  }

  Result<std::vector<EntryRun>> ListRuns() override {
    std::vector<EntryRun> runs;
    for (const auto& [ends, text] : place_->runs) runs.push_back({ends.first, -ends.second});
    return runs;
  }

  Result<std::string> ReadRun(EntryRun run) override {
    const auto found = place_->runs.find({run.first, -run.last});
    if (found == place_->runs.end()) return Status::IOError("no run ", PathOfRun(run));
    return found->second;
  }

  Status PutRun(EntryRun run, const std::string& text) override {
    place_->runs.try_emplace({run.first, -run.last}, text);
    return Status::OK();
  }

  Status Drop(const std::vector<int64_t>& entries, const std::vector<EntryRun>& runs) override {
    for (const int64_t number : entries) place_->entries.erase(number);
    for (const EntryRun& run : runs) place_->runs.erase({run.first, -run.last});
    return Status::OK();
  }

  Status Clear() override {
    place_->entries.clear();
    place_->runs.clear();
    return Status::OK();
  }

  void Remove() override { place_->entries.clear(); }

  std::string PathOf(int64_t number) override { return fmt::format("log/{}", number); }

  std::string PathOfRun(EntryRun run) override {
    return fmt::format("log/{}-{}", run.first, run.last);
  }

 private:
  const std::shared_ptr<MemoryPlace> place_;
  bool has_lock_ = false;
};

}  // namespace penstock
