#pragma once

#include <utility>

#include "penstock/base/status.h"

/// The one place where a Status becomes a Python exception.
namespace penstock::python {

/// Raises what penstock.errors.to_exception makes of `status`. Needs the GIL.
[[noreturn]] void Throw(const Status& status);

inline void ThrowIfError(const Status& status) {
  if (!status.ok()) Throw(status);
}

template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result.ok()) Throw(result.status());
  return std::move(result).MoveValueUnsafe();
}

}  // namespace penstock::python
