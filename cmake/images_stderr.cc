// Distributions compile their static libpng and libjpeg for programs: they reach the variable
// stderr at a fixed distance from their code, which a shared library cannot give them. So the
// linker
// (--wrap, see Images.cmake) gives them this variable, of the library itself, in its stead.

#include <cstdio>

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's.
extern "C" {
extern FILE* __real_stderr;
__attribute__((visibility("hidden"))) FILE* __wrap_stderr = nullptr;
}

namespace {

__attribute__((constructor(101))) void SetBeforeAnythingRuns() { __wrap_stderr = __real_stderr; }

}  // namespace
// NOLINTEND(bugprone-reserved-identifier)
