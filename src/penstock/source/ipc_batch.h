#pragma once

#include <arrow/ipc/options.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "penstock/base/status.h"

namespace penstock {

using IpcBatch = Result<std::shared_ptr<arrow::RecordBatch>>;

/// Runs `read` with options under which one record batch of an IPC file may be decompressed, and
/// checks all of what comes. Invalid where the batch, or a dictionary that it needs, unpacks to
/// more than 512 MiB and 32 times the file's size, or breaks the rules of its types.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadIpcBatch(
    int64_t file_bytes, const std::function<IpcBatch(arrow::ipc::IpcReadOptions)>& read);

}  // namespace penstock
