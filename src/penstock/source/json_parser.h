#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/source/text_source.h"
#include "penstock/source/type_names.h"

namespace penstock {

/// Makes a parser of a JSON file's range: an object a line, or with `may_be_array` one array of
/// objects instead. `types` are those that the user gave.
std::unique_ptr<TextParser> MakeJsonParser(const ColumnTypes& types, bool may_be_array,
                                           const InputFile& file, const TextRange& range,
                                           ParseTarget target);

}  // namespace penstock
