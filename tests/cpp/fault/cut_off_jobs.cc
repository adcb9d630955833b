#include "fault/cut_off_jobs.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "penstock/ledger/verify.h"

namespace penstock {

namespace files = std::filesystem;

int64_t FaultStride() {
  const char* const wanted = std::getenv("PENSTOCK_FAULT_STRIDE");
  return wanted == nullptr ? 5 : std::max<int64_t>(1, std::atoll(wanted));
}

CutOffJob::CutOffJob(const ReferenceJob& job, std::string input, std::string folder)
    : job_(job), input_(std::move(input)), folder_(std::move(folder)) {
  RunForked([this] {
    WriteReferenceInput(input_ + "/in");
    return Status::OK();
  });
  const Ended clean = RunInto(input_ + "/clean", {});
  calls_ = clean.calls;
  EXPECT_FALSE(clean.failed);
  wanted_ = VisibleFiles(input_ + "/clean");
  EXPECT_GT(wanted_.size(), 1U);
  if (job_.retry == nullptr) return;
  const std::string first = input_ + "/before_retry";
  RunForked([&] { return RunJob(job_.plan(input_ + "/in", first)); });
  before_retry_ = VisibleFiles(first);
}

Ended CutOffJob::RunInto(const std::string& path, const Fault& fault) {
  return RunForked([&] {
    ArmFault(path, fault);
    PENSTOCK_RETURN_NOT_OK(RunJob(job_.plan(input_ + "/in", path)));
    return job_.retry == nullptr ? Status::OK() : RetryOnce(job_.retry(input_ + "/in"), path);
  });
}

void CutOffJob::ExpectGoesOn(const std::string& where) {
  const std::string path = folder_ + "/out";
  const Result<Verification> on_record = VerifyOutput(path);
  if (on_record.ok()) {
    ASSERT_TRUE(on_record->problems.empty()) << where << ": " << on_record->problems.front();
  } else {
    ASSERT_TRUE(VisibleFiles(path).empty()) << where << ": files without a ledger";
  }
  for (const auto& [name, bytes] : VisibleFiles(path)) {
    const auto& clean = wanted_.contains(name) ? wanted_ : before_retry_;
    const auto wanted = clean.find(name);
    ASSERT_TRUE(wanted != clean.end()) << where << ": a file of no clean run: " << name;
    ASSERT_TRUE(wanted->second == bytes) << where << ": another file than a clean run's: " << name;
  }
  const Ended again = Run({});
  ASSERT_FALSE(again.failed || again.killed)
      << where << ": the next run does not go on: " << again.why;
  ASSERT_TRUE(VisibleFiles(path) == wanted_) << where << ": the output differs from a clean run's";
  ASSERT_TRUE(files::exists(path + "/_SUCCESS")) << where;
  ASSERT_FALSE(files::exists(path + "/_penstock/pending")) << where << ": something is left";
  for (const auto& entry : files::directory_iterator(path + "/_penstock/log")) {
    ASSERT_FALSE(entry.path().filename().string().starts_with('.'))
        << where << ": " << entry.path();
  }
  files::remove_all(path);
}

std::string TestNameOf(const ::testing::TestParamInfo<ReferenceJob>& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, ' ', '_');
  return name;
}

}  // namespace penstock
