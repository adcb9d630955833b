#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/sink/file_format.h"

/// The file formats' factories, one a kind; registry.cc gives each its name. Each reads its own
/// options; MakeFileSink then reads those that all share and refuses the rest.
namespace penstock {

Result<std::unique_ptr<FileFormat>> MakeArrowFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeCsvFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeImageFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeJsonFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeNumpyFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeOrcFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeParquetFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeTfrecordFormat(OptionReader& options);
Result<std::unique_ptr<FileFormat>> MakeWebdatasetFormat(OptionReader& options);

}  // namespace penstock
