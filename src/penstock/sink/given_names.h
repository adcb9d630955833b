#pragma once

#include <arrow/record_batch.h>

#include <string>
#include <utility>

#include "penstock/base/status.h"

/// Names that the caller gives to files.
namespace penstock {

/// Splits a name before its extension: the format's, or what follows its last dot; the format's
/// where it has none.
std::pair<std::string, std::string> StemAndExtension(const std::string& name,
                                                     const std::string& extension);

/// Invalid for a name that leads elsewhere, or that readers of the folder would pass over.
Status CheckGivenName(const std::string& name);

/// Returns the text in the only row of a column, with an extension; Invalid where it cannot name a
/// file.
Result<std::string> GivenName(const arrow::RecordBatch& row, int column,
                              const std::string& extension);

}  // namespace penstock
