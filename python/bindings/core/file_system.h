#pragma once

#include <arrow/filesystem/filesystem.h>

#include <memory>

namespace penstock::python {

/// What Python holds of a file system that is open.
struct FileSystemHandle {
  std::shared_ptr<arrow::fs::FileSystem> file_system;  // Shared with plans.
};

}  // namespace penstock::python
