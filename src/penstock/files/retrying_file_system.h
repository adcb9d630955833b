#pragma once

#include <arrow/filesystem/filesystem.h>

#include <memory>
#include <string>

#include "penstock/files/retry.h"

namespace penstock {

/// Wraps a file system so that whatever is asked of it is tried again where that may help, and
/// that errors are RemoteFailure's. `prefix`, such as "s3://", is what errors put before paths.
///
/// Files are RetryingFiles, streams such files read ahead. What is written cannot be taken back
/// in the middle: output streams pass errors on as they are, and whoever writes begins anew (see
/// upload.h). A Move or a removal whose answer got lost counts as done when the next attempt finds
/// it so. Threads: any.
std::shared_ptr<arrow::fs::FileSystem> MakeRetryingFileSystem(
    std::shared_ptr<arrow::fs::FileSystem> inner, std::shared_ptr<const Retrier> retrier,
    std::string prefix);

}  // namespace penstock
