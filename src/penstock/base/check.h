#pragma once

#include <cstdio>
#include <cstdlib>

namespace penstock::internal {

/// Prints where an invariant of ours broke, then aborts: going on would risk the user's rows.
[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "penstock: broken invariant at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace penstock::internal

/// Aborts when `condition` is false. For our own mistakes only; bad input is a Status.
#define PENSTOCK_CHECK(condition)                                        \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::penstock::internal::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
