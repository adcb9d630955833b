#pragma once

#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/source.h"

namespace penstock {

/// Makes a source of the rows in files of dead letters (exec/dead_letters.cc says what these hold),
/// as the stage that left them out was given them: file by file, each with the columns that its
/// rows have. All files are to be of one stage.
///
/// A split is a row group; they are numbered through all files, and named after the files without
/// the folder. Fails as the reader parquet does.
Result<std::unique_ptr<Source>> MakeLetterSource(const std::vector<std::string>& paths,
                                                 const ReadLimits& limits, int parallelism);

}  // namespace penstock
