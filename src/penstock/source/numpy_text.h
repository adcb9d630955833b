#pragma once

#include <memory>

#include "penstock/source/numpy_header.h"
#include "penstock/source/whole_files.h"

namespace penstock {

/// Whether an array's values are text or bytes of one width, which NumPy fills up with zeros.
bool IsNumpyText(const arrow::DataType& type);

/// Collects the texts of .npy files, a row a value, for a schema of one column of utf8 or binary.
std::unique_ptr<FileRows> MakeNumpyTextRows(const std::shared_ptr<arrow::Schema>& schema);

/// Reads the header of a file whose rows must be of a type; kSchemaMismatch naming the file where
/// they are not.
Result<NumpyHeader> ReadNumpyHeaderOf(const std::string& path,
                                      const std::shared_ptr<arrow::Buffer>& bytes,
                                      const arrow::DataType& wanted);

/// The type of an array's rows; NotImplemented for texts with more than one dimension.
Result<std::shared_ptr<arrow::DataType>> NumpyRowType(const NumpyHeader& header);

}  // namespace penstock
