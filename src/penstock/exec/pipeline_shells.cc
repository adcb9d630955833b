#include "penstock/exec/pipeline_shells.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "penstock/base/error.h"

namespace penstock {
namespace {

class SkippedPipeline final : public Pipeline {
 public:
  Result<NextResult> Next(std::chrono::nanoseconds timeout) override {
    return NextResult{.state = NextState::kEnd, .block = std::nullopt};
  }
  void Cancel() override {}
  void Drain() override {}
  Snapshot TakeSnapshot() const override { return Snapshot{.finished = true}; }
};

class OwnedPipeline final : public Pipeline {
 public:
  explicit OwnedPipeline(std::unique_ptr<Pipeline> running) : running_(std::move(running)) {}

  ~OwnedPipeline() override {
    if (!IsOwner()) static_cast<void>(running_.release());
  }

  Result<NextResult> Next(std::chrono::nanoseconds timeout) override {
    if (IsOwner()) return running_->Next(timeout);
    return MakeError(ErrorKind::kCancelled,
                     fmt::format("This job belongs to the process that started it and cannot go on "
                                 "in a fork of it; start it anew here; the job's process: {}",
                                 process_));
  }

  void Cancel() override {
    if (IsOwner()) running_->Cancel();
  }

  void Drain() override {
    if (IsOwner()) running_->Drain();
  }

  Snapshot TakeSnapshot() const override {
    return IsOwner() ? running_->TakeSnapshot() : Snapshot{.finished = true};
  }

 private:
  bool IsOwner() const { return ::getpid() == process_; }

  const pid_t process_ = ::getpid();
  std::unique_ptr<Pipeline> running_;
};

}  // namespace

std::unique_ptr<Pipeline> MakeSkippedPipeline() { return std::make_unique<SkippedPipeline>(); }

std::unique_ptr<Pipeline> OwnedByThisProcess(std::unique_ptr<Pipeline> running) {
  return std::make_unique<OwnedPipeline>(std::move(running));
}

}  // namespace penstock
