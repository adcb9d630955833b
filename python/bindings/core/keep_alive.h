#pragma once

#include <arrow/buffer.h>
#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>

/// Lends Python-owned memory to the engine.
namespace penstock::python {

namespace nb = nanobind;

/// Returns a buffer over memory that `owner` keeps. The engine may drop it on any of its threads,
/// without the GIL: the reference is then only noted, and given up by the next ReleaseDropped.
std::shared_ptr<arrow::Buffer> LentBuffer(nb::object owner, const uint8_t* data, int64_t bytes);

/// Gives up the references that were noted. Needs the GIL; called whenever Python calls us.
void ReleaseDropped();

}  // namespace penstock::python
