#include <algorithm>

#include "penstock/base/mix.h"
#include "penstock/source/chunks.h"
#include "penstock/source/registry.h"

namespace penstock {
namespace {

constexpr int64_t kListedAtOnce = 1024;

class ShuffledSource final : public Source {
 public:
  ShuffledSource(std::unique_ptr<Source> source, int64_t seed, const ReadLimits& limits)
      : source_(std::move(source)), seed_(static_cast<uint64_t>(seed)), chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    if (!listed_) PENSTOCK_RETURN_NOT_OK(List());
    const auto count =
        static_cast<ptrdiff_t>(std::min(count_max, static_cast<int64_t>(splits_.size()) - next_));
    const auto first = splits_.begin() + next_;
    std::vector<Split> next(std::make_move_iterator(first), std::make_move_iterator(first + count));
    next_ += count;
    chunks_.Number(next);
    return next;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    return source_->Open(split);
  }
  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override { return source_->ReadSchema(); }
  Result<std::optional<int64_t>> CountRows() override { return source_->CountRows(); }
  Result<std::vector<std::string>> Files() override { return source_->Files(); }

 private:
  Status List() {
    while (true) {
      PENSTOCK_TRY(std::vector<Split> more, source_->NextSplits(kListedAtOnce));
      if (more.empty()) break;
      std::move(more.begin(), more.end(), std::back_inserter(splits_));
    }
    uint64_t state = Mix(seed_);
    for (size_t i = splits_.size(); i > 1; --i) {
      state = Mix(state);
      std::swap(splits_[i - 1], splits_[state % i]);
    }
    listed_ = true;
    return Status::OK();
  }

  const std::unique_ptr<Source> source_;
  const uint64_t seed_;
  ChunkGrouper chunks_;
  bool listed_ = false;
  std::vector<Split> splits_;
  int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeShuffledSource(std::unique_ptr<Source> source, int64_t seed,
                                           const ReadLimits& limits) {
  return std::make_unique<ShuffledSource>(std::move(source), seed, limits);
}

}  // namespace penstock
