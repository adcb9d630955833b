#include "penstock/sink/parquet_dictionary.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <cmath>

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kSampleRows = 16'384;

bool IsJudged(const arrow::DataType& type) {
  return (arrow::is_primitive(type.id()) && type.id() != arrow::Type::BOOL) ||
         arrow::is_base_binary_like(type.id());
}

Result<std::shared_ptr<arrow::Array>> SpreadRows(int64_t rows) {
  arrow::Int64Builder builder;
  PENSTOCK_RETURN_NOT_OK(builder.Reserve(kSampleRows));
  for (int64_t place = 0; place < kSampleRows; ++place) {
    builder.UnsafeAppend(place * rows / kSampleRows);
  }
  return builder.Finish();
}

/// Returns how many values a sample of a column of `values` different ones holds, if each of them
/// is as frequent as the others.
double ExpectedInSample(double values) {
  return values * -std::expm1(-static_cast<double>(kSampleRows) / values);
}

/// Returns a value's bytes in a dictionary page, on the average: a text's with its length, which is
/// as long there as an offset is here.
double ValueBytes(const arrow::Array& sample) {
  if (!arrow::is_base_binary_like(sample.type_id())) {
    return static_cast<double>(sample.type()->bit_width()) / 8;
  }
  return static_cast<double>(arrow::util::TotalBufferSize(sample)) / kSampleRows;
}

}  // namespace

Result<std::vector<std::string>> ColumnsBeyondDictionary(const arrow::RecordBatch& batch,
                                                         int64_t dictionary_bytes_max) {
  std::vector<std::string> beyond;
  if (batch.num_rows() < kSampleRows) return beyond;
  PENSTOCK_TRY(const auto rows, SpreadRows(batch.num_rows()));
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (!IsJudged(*batch.column(i)->type())) continue;
    PENSTOCK_TRY(const auto sample,
                 compute::Take(*batch.column(i), *rows, compute::TakeOptions::NoBoundsCheck()));
    PENSTOCK_TRY(const auto different, compute::Unique(sample));
    const double room = static_cast<double>(dictionary_bytes_max) / ValueBytes(*sample);
    if (static_cast<double>(different->length()) >= ExpectedInSample(std::max(room, 1.0))) {
      beyond.push_back(batch.schema()->field(i)->name());
    }
  }
  return beyond;
}

}  // namespace penstock
