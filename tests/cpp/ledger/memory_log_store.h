#pragma once

#include <fmt/format.h>

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
  bool locked = false;
  bool knows_locks = true;
  int puts_until_failure = -1;  // The n-th put fails from now on, before it did anything; -1: none.
  bool fails_after = false;     // … or after it.
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
    const bool fails = place_->puts_until_failure >= 0 && place_->puts_until_failure-- == 0;
    if (fails && !place_->fails_after) return Status::IOError("the disk is full");
    const bool put = place_->entries.try_emplace(number, text).second;
    if (fails) return Status::IOError("the disk is gone");
    return put;
  }

  Status Clear() override {
    place_->entries.clear();
    return Status::OK();
  }

  void Remove() override { place_->entries.clear(); }

  std::string PathOf(int64_t number) override { return fmt::format("log/{}", number); }

 private:
  const std::shared_ptr<MemoryPlace> place_;
  bool has_lock_ = false;
};

}  // namespace penstock
