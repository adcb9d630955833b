#pragma once

#include <arrow/type.h>

#include <memory>

#include "penstock/source/input_files.h"
#include "penstock/source/member_names.h"
#include "penstock/source/text_source.h"

namespace penstock {

/// Which files of an archive are read, and which of them samples have.
struct WebdatasetChoice {
  NameChoice files;
  NameChoice suffixes;
};

/// Makes what reads an archive as samples, a row each. Borrows `choice`.
std::unique_ptr<TextParser> MakeSampleParser(const WebdatasetChoice& choice, InputFile file,
                                             ParseTarget target);

/// Makes what reads an archive as one row of this schema: its files' names and data.
std::unique_ptr<TextParser> MakeArchiveParser(const WebdatasetChoice& choice, InputFile file);
std::shared_ptr<arrow::Schema> ArchiveSchema();

}  // namespace penstock
