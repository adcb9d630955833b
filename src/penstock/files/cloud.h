#pragma once

#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/gcsfs.h>
#include <arrow/filesystem/s3fs.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Starts Arrow's S3 library, which is needed before anything of it is used, and has it end with
/// the process: without that its threads crash the exit.
Status StartS3();

/// Opens the stores whose libraries would try again on their own, so that they do not.
Result<std::shared_ptr<arrow::fs::FileSystem>> OpenS3(arrow::fs::S3Options options);
Result<std::shared_ptr<arrow::fs::FileSystem>> OpenGcs(arrow::fs::GcsOptions options);

/// Opens a file system by its kind ("s3", "gcs", "abfs" or "hdfs") and the arguments that
/// pyarrow's class of that kind takes, by their names; null is as good as absent. Invalid for an
/// argument that is not known, by name.
Result<std::shared_ptr<arrow::fs::FileSystem>> OpenCloud(const std::string& kind,
                                                         const nlohmann::json& arguments);

}  // namespace penstock
