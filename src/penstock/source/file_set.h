#pragma once

#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"
#include "penstock/source/file_columns.h"
#include "penstock/source/input_files.h"

namespace penstock {

/// The files that a reader of tables reads, and what columns they have of their own.
struct FileSet {
  std::vector<InputFile> files;
  FileColumns columns;
};

/// Lists the files as ListFiles does, by the options of ReadFileOptions and
///   shuffle_seed  an integer: the files come in an order that is drawn from it
///   partitioning  see file_columns.h
Result<FileSet> ListFileSet(OptionReader& options, const ReadOp& read,
                            const std::vector<std::string>& folder_extensions);

}  // namespace penstock
