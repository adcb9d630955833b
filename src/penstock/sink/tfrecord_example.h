#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Checks that values of a type go into a feature of a tf.train.Example: integers and truth values
/// (int64_list), floats (float_list, of 32 bits), text and binary (bytes_list), lists and tensors
/// of these (flattened), and null. Invalid saying so for others.
Status CheckFeatureType(const arrow::DataType& type);

/// Appends a row as an encoded tf.train.Example: one feature a column, in the columns' order; one
/// without values for null. Invalid naming the column for an integer beyond 63 bits, and for a null
/// in a list.
Status AppendExample(const arrow::RecordBatch& batch, int64_t row, std::string* out);

}  // namespace penstock
