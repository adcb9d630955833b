#pragma once

#include <arrow/io/interfaces.h>

#include "penstock/base/status.h"
#include "penstock/files/path_placer.h"

namespace penstock {

/// Copies a file of this machine to `place`, from its beginning again whenever that fails for a
/// reason that may pass, in pieces of some megabytes. Errors are RemoteFailure's.
Status Upload(arrow::io::RandomAccessFile& file, const PlacedPath& place);

}  // namespace penstock
