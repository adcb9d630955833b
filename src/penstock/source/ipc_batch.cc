#include "penstock/source/ipc_batch.h"

#include "penstock/memory/budget_pool.h"
#include "penstock/source/input_files.h"

namespace penstock {
namespace {

constexpr int64_t kUnpackedFreely = int64_t{512} << 20;

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadIpcBatch(
    int64_t file_bytes, const std::function<IpcBatch(arrow::ipc::IpcReadOptions)>& read) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;  // The budget is this thread's.
  options.memory_pool = &BudgetPool::Shared();
  const int64_t bytes_max = DecompressedBytesMax(file_bytes, kUnpackedFreely);
  const BudgetPool::Scope scope(bytes_max);
  auto batch = read(options);
  if (scope.exceeded()) return TooLargeUnpacked(bytes_max);
  PENSTOCK_RETURN_NOT_OK(batch.status());
  PENSTOCK_RETURN_NOT_OK((*batch)->ValidateFull());
  return arrow::RecordBatchReader::Make({*batch}, (*batch)->schema());
}

}  // namespace penstock
