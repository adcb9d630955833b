#include "penstock/op/lengths.h"

#include <arrow/array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>

#include "penstock/plan/compute_functions.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

/// Returns the name of Arrow's function that measures values of this type; null for integers, which
/// are lengths themselves; nothing for other types.
Result<const char*> MeasureOf(const arrow::Field& field) {
  const arrow::Type::type id = field.type()->id();
  if (arrow::is_integer(id)) return nullptr;
  if (arrow::is_string(id) || id == arrow::Type::STRING_VIEW) return "utf8_length";
  if (arrow::is_binary_like(id) || arrow::is_large_binary_like(id)) return "binary_length";
  const bool is_list =
      (arrow::is_list_like(id) || arrow::is_list_view(id)) && id != arrow::Type::MAP;
  if (is_list) return "list_value_length";
  return Status::TypeError(
      "Rows cannot be grouped by length: the column is neither text, binary, a "
      "list nor an integer: '",
      field.name(), "': ", field.type()->ToString());
}

Result<arrow::Datum> Measured(const arrow::Datum& values, const char* measure) {
  if (measure == nullptr) return values;
  return compute::CallFunction(measure, {values});
}

}  // namespace

Result<std::vector<int64_t>> LengthsOf(const arrow::RecordBatch& batch, const std::string& column) {
  PENSTOCK_RETURN_NOT_OK(PrepareFunctions());
  const int index = batch.schema()->GetFieldIndex(column);
  if (index < 0) {
    return Status::KeyError(
        "Rows cannot be grouped by length: there is no such column, or several: '", column,
        "'; there are: ", batch.schema()->ToString());
  }
  std::shared_ptr<arrow::Array> values = batch.column(index);
  if (values->type_id() == arrow::Type::NA) {
    return std::vector<int64_t>(static_cast<size_t>(values->length()), 0);
  }
  if (values->type_id() == arrow::Type::DICTIONARY) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*values->type());
    PENSTOCK_TRY(values, compute::Cast(*values, type.value_type()));
  }
  PENSTOCK_TRY(const char* measure, MeasureOf(*arrow::field(column, values->type())));
  PENSTOCK_TRY(const arrow::Datum measured, Measured(values, measure));
  PENSTOCK_TRY(const std::shared_ptr<arrow::Array> lengths,
               compute::Cast(*measured.make_array(), arrow::int64()));
  const auto& numbers = static_cast<const arrow::Int64Array&>(*lengths);
  std::vector<int64_t> result(static_cast<size_t>(numbers.length()));
  for (int64_t row = 0; row < numbers.length(); ++row) {
    result[static_cast<size_t>(row)] = numbers.IsNull(row) ? 0 : numbers.Value(row);
  }
  return result;
}

std::vector<int64_t> LongestFirst(std::span<const int64_t> lengths) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](int64_t row) { return lengths[static_cast<size_t>(row)]; });
  return order;
}

std::vector<int64_t> CutByLength(std::span<const int64_t> lengths, std::span<const int64_t> order,
                                 int64_t rows_max, int64_t padded_max) {
  std::vector<int64_t> batches;
  int64_t longest = 0;
  for (const int64_t row : order) {
    const int64_t length = std::max<int64_t>(lengths[static_cast<size_t>(row)], 1);
    const int64_t rows = batches.empty() ? 0 : batches.back();
    const bool is_full = rows_max > 0 && rows >= rows_max;
    const bool is_too_long = padded_max > 0 && rows + 1 > padded_max / std::max(longest, length);
    if (batches.empty() || is_full || is_too_long) {
      batches.push_back(0);
      longest = length;
    }
    ++batches.back();
  }
  return batches;
}

}  // namespace penstock
