#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/source/csv_options.h"
#include "penstock/source/text_source.h"

namespace penstock {

/// Makes a parser of a CSV file's range. Its header row is read wherever the range begins.
std::unique_ptr<TextParser> MakeCsvParser(const CsvOptions& options, const InputFile& file,
                                          const TextRange& range, ParseTarget target);

}  // namespace penstock
