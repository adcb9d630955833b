#pragma once

#include <arrow/filesystem/filesystem.h>

#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/files/retry.h"

namespace penstock {

/// A path, as its file system knows it.
struct PlacedPath {
  std::shared_ptr<arrow::fs::FileSystem> file_system;  // Shared by the paths that lie on it.
  std::string location;
  std::string prefix;                      // What users see before the location, such as "s3://".
  std::shared_ptr<const Retrier> retrier;  // The file system's own; null on this machine's.
};

/// Which file system paths are meant on, where they do not say it themselves, and what is tried
/// again there.
struct FileAccess {
  std::shared_ptr<arrow::fs::FileSystem> file_system;  // Shared with the plan. Null: paths say.
  std::vector<std::string> retried_errors;             // As in RetryPolicy.
};

/// Finds the file systems of paths: this machine's own, or what a URI names (s3, gs, abfs, hdfs,
/// file), which then is opened and wrapped in retries. Neighbours in one bucket share what is open.
/// One thread.
class PathPlacer {
 public:
  explicit PathPlacer(FileAccess access);

  /// Invalid for a URI that no file system understands; else what opening it yields: kAccessDenied,
  /// kUnreachable, kRemoteFailure.
  Result<PlacedPath> Place(const std::string& path);

 private:
  std::shared_ptr<const Retrier> RetrierFor(const arrow::fs::FileSystem& file_system) const;

  const FileAccess access_;
  const std::shared_ptr<arrow::fs::FileSystem> local_;
  std::string open_root_;  // The scheme, bucket and options of what was opened last,
  PlacedPath open_;        // and that.
};

/// Opens what Arrow knows by URI, and tries that again where it may help. The file system itself
/// tries nothing again, as far as its library lets us say so: its retries would multiply with
/// ours. Sets `location` to the path there. Errors are PathPlacer's.
Result<std::shared_ptr<arrow::fs::FileSystem>> OpenByUri(const std::string& uri,
                                                         std::vector<std::string> retried_errors,
                                                         std::string* location);

}  // namespace penstock
