#include "penstock/exec/retried_rows.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <utility>

#include "penstock/base/check.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

Status Damaged(const std::string& path) {
  return MakeError(
      ErrorKind::kCorruptData,
      "A file of dead letters has not the columns that it was written with; got: " + path);
}

/// Reads columns of a file, row group by row group. `begin` is called before each.
Status ReadColumns(const std::string& path, std::vector<std::string> columns,
                   const ReadLimits& limits, const std::function<void()>& begin,
                   const std::function<Status(const arrow::RecordBatch&)>& take) {
  const ReadOp read{
      .kind = "parquet", .options = {{"paths", {path}}}, .columns = std::move(columns)};
  PENSTOCK_TRY(const auto source, MakeSource(read, limits, /*parallelism=*/1));
  while (true) {
    PENSTOCK_TRY(const std::vector<Split> splits, source->NextSplits(/*count_max=*/1));
    if (splits.empty()) return Status::OK();
    begin();
    PENSTOCK_TRY(const auto reader, source->Open(splits.front()));
    while (true) {
      PENSTOCK_TRY(const auto batch, reader->Next());
      if (batch == nullptr) break;
      PENSTOCK_RETURN_NOT_OK(take(*batch));
    }
  }
}

/// Returns a column of this type, or null.
template <typename Array>
const Array* ColumnOf(const arrow::RecordBatch& batch, const char* name) {
  return dynamic_cast<const Array*>(batch.GetColumnByName(name).get());
}

}  // namespace

Result<FailedStage> FailedStageOf(const std::string& path, const ReadLimits& limits) {
  std::optional<FailedStage> found;
  const auto take = [&](const arrow::RecordBatch& batch) {
    const auto* names = ColumnOf<arrow::StringArray>(batch, "stage");
    const auto* indices = ColumnOf<arrow::Int32Array>(batch, "stage_index");
    if (names == nullptr || indices == nullptr) return Damaged(path);
    if (!found && batch.num_rows() > 0) {
      found = FailedStage{.index = indices->Value(0), .name = names->GetString(0)};
    }
    return Status::OK();
  };
  PENSTOCK_RETURN_NOT_OK(ReadColumns(path, {"stage", "stage_index"}, limits, [] {}, take));
  if (!found) return Damaged(path);
  return *std::move(found);
}

Result<RetriedRows> RetriedRows::Read(const std::vector<std::string>& paths,
                                      const ReadLimits& limits, std::vector<StageIndex> stages) {
  RetriedRows rows;
  rows.stages_ = std::move(stages);
  std::map<std::string, int32_t> known;
  for (const std::string& path : paths) {
    const auto take = [&](const arrow::RecordBatch& batch) {
      const Status added = rows.Add(batch, known);
      return added.ok() ? added : Damaged(path);
    };
    PENSTOCK_RETURN_NOT_OK(ReadColumns(
        path, {"attempts", "source", "source_row"}, limits,
        [&rows] { rows.splits_.push_back(rows.rows()); }, take));
  }
  return rows;
}

Status RetriedRows::Add(const arrow::RecordBatch& batch, std::map<std::string, int32_t>& known) {
  const auto* attempts = ColumnOf<arrow::Int32Array>(batch, "attempts");
  const auto* sources = ColumnOf<arrow::StringArray>(batch, "source");
  const auto* source_rows = ColumnOf<arrow::Int64Array>(batch, "source_row");
  if (attempts == nullptr || sources == nullptr || source_rows == nullptr) {
    return Status::Invalid("columns of other types");
  }
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const auto [place, is_new] =
        known.try_emplace(sources->GetString(row), static_cast<int32_t>(sources_.size()));
    if (is_new) sources_.push_back(place->first);
    letters_.push_back({.source = place->second,
                        .attempts = attempts->Value(row),
                        .source_row = source_rows->IsNull(row) ? -1 : source_rows->Value(row)});
  }
  return Status::OK();
}

RetriedRows::Origin RetriedRows::OriginOf(const Lineage& row, StageIndex stage) const {
  if (row.ranges().empty()) return {};
  const RowRange& range = row.ranges().front();
  const auto split = static_cast<size_t>(range.split);
  PENSTOCK_CHECK(split < splits_.size());
  const auto place = static_cast<size_t>(splits_[split] + range.first_row);
  PENSTOCK_CHECK(place < letters_.size());
  const Letter& letter = letters_[place];
  Origin origin{.source = sources_[static_cast<size_t>(letter.source)]};
  if (row.exact() && letter.source_row >= 0) origin.source_row = letter.source_row;
  if (stage == 1) origin.attempts = letter.attempts;
  return origin;
}

}  // namespace penstock
