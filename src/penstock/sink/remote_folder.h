#pragma once

#include <memory>
#include <string>

#include "penstock/files/path_placer.h"
#include "penstock/sink/output_folder.h"

namespace penstock {

/// Makes the folder at a place that is reached through Arrow, such as an object store. Files are
/// written on this machine first, where temporary files go, and uploaded when they are complete,
/// under hidden names; Publish moves them, one by one. So each shows whole or not at all, at the
/// price of a copy where a store knows no move. A commit that is cut off may leave some of the
/// parts. Nothing can be locked there, so that what a killed job left stays.
std::unique_ptr<OutputFolder> MakeRemoteFolder(const PlacedPath& place, std::string write_name);

}  // namespace penstock
