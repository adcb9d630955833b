#include "penstock/op/take.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include "penstock/plan/compute_functions.h"

namespace penstock {

namespace compute = arrow::compute;

Result<Block> TakeRows(std::span<const Piece> pieces, std::span<const int64_t> rows) {
  PENSTOCK_RETURN_NOT_OK(PrepareFunctions());
  PENSTOCK_TRY(Block joined, ConcatenatePieces(pieces));
  for (const int64_t row : rows) {
    if (row >= 0 && row < joined.rows()) continue;
    return Status::IndexError("Take: row ", row, " is not among the ", joined.rows(), " rows");
  }
  const auto count = static_cast<int64_t>(rows.size());
  const auto buffer = arrow::Buffer::Wrap(rows.data(), rows.size());
  const arrow::Int64Array indices(count, buffer);
  Lineage lineage = joined.lineage.Take(rows);
  if (joined.batch->num_columns() == 0) {
    auto batch = arrow::RecordBatch::Make(joined.batch->schema(), count, arrow::ArrayVector{});
    return Block{std::move(batch), std::move(lineage), nullptr};
  }
  PENSTOCK_TRY(const arrow::Datum taken,
               compute::Take(arrow::Datum(joined.batch), arrow::Datum(indices.data()),
                             compute::TakeOptions::NoBoundsCheck()));
  return Block{taken.record_batch(), std::move(lineage), nullptr};
}

}  // namespace penstock
