#pragma once

#include <cstdint>

namespace penstock::python {

/// Has this process, and its process group with what functions have started, killed when `parent`
/// dies, or now if it has; and when the engine's process does, whatever this one is at: stuck in C
/// with the GIL held, or with all signals ignored. To be called again in a fork.
void DieWithParent(int64_t parent);

}  // namespace penstock::python
