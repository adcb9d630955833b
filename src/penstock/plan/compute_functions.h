#pragma once

#include "penstock/base/status.h"

namespace penstock {

/// Registers the functions of expressions, Arrow's and our own, once in the process. Arrow's
/// registry may not be asked for one by a thread while another adds some: whoever starts threads
/// that compute calls this first. Threads: any.
Status PrepareFunctions();

}  // namespace penstock
