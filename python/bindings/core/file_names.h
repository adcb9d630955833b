#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/plan/file_names.h"

namespace penstock::python {

/// Names that Python gives: the engine's thread puts its question here and waits, without the GIL,
/// until the thread that drives the job has answered or closes. Threads: any.
class AskedFileNames final : public FileNames {
 public:
  using Question = std::pair<std::string, std::vector<int64_t>>;

  Result<std::vector<std::string>> NamesOf(const std::string& write_name,
                                           const std::vector<int64_t>& parts) override;

  /// Returns the question that waits, once.
  std::optional<Question> Take();
  void Answer(std::vector<std::string> names);

  /// Nobody answers any more: questions fail.
  void Close();

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::optional<Question> question_ PENSTOCK_GUARDED_BY(mutex_);
  std::optional<std::vector<std::string>> answer_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

/// What Python holds. The engine shares the inside alone, so that letting go of it never needs the
/// GIL.
struct FileNamesHandle {
  std::shared_ptr<AskedFileNames> names = std::make_shared<AskedFileNames>();
};

}  // namespace penstock::python
