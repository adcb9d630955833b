#pragma once

#include <arrow/filesystem/filesystem.h>

#include <memory>
#include <string>

#include "penstock/sink/output_folder.h"

namespace penstock {

/// Makes the folder at `path` of a file system that is reached through Arrow, such as an object
/// store. Temporary files lie there under hidden names and are moved, one by one, by Publish: each
/// shows whole or not at all, at the price of a copy where a store knows no move. A commit that is
/// cut off may leave some of the parts. Nothing can be locked there, so that what a killed job left
/// stays. Formats that write their beginning last are NotImplemented.
std::unique_ptr<OutputFolder> MakeRemoteFolder(std::shared_ptr<arrow::fs::FileSystem> file_system,
                                               std::string path, std::string write_name);

}  // namespace penstock
