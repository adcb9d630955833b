#pragma once

#include <arrow/io/interfaces.h>

#include <memory>

namespace penstock {

/// Returns a stream in which a JSON array of objects reads as JSON Lines: an object a line, byte
/// for byte as long as before. A stream that does not begin with `[` (blanks and a byte order
/// mark apart) passes unchanged.
///
/// Reading fails with Invalid, saying which element it is about, where the array is not closed,
/// holds something else than objects, or is followed by anything.
std::shared_ptr<arrow::io::InputStream> ArrayAsLines(std::shared_ptr<arrow::io::InputStream> json);

}  // namespace penstock
