#pragma once

#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Says what the system refused (an errno), why, what to do about it, and the path last.
/// kMissingPath for ENOENT, AlreadyExists for EEXIST, else IOError.
Status SystemFailure(int error, const std::string& doing, const std::string& path);

}  // namespace penstock
