#include <arrow/type.h>

#include <algorithm>

#include "penstock/base/check.h"
#include "penstock/block/packed.h"
#include "penstock/block/unify.h"
#include "penstock/plan/options.h"
#include "penstock/source/registry.h"
#include "penstock/source/row_slices.h"

/// The reader memory has the option "files": what functions read for the rows, which are names or
/// numbers of it.
namespace penstock {
namespace {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

/// Rows of several batches, counted through.
class MemoryRows final : public SliceableRows {
 public:
  explicit MemoryRows(Batches batches)
      : batches_(std::move(batches)),
        schema_(batches_.empty() ? arrow::schema(arrow::FieldVector{})
                                 : batches_.front()->schema()) {
    for (const auto& batch : batches_) borders_.push_back(borders_.back() + batch->num_rows());
  }

  const std::vector<int64_t>& borders() const { return borders_; }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t rows() const override { return borders_.back(); }

  int64_t Bytes(int64_t begin, int64_t end) const override {
    int64_t bytes = 0;
    for (const auto& slice : Slices(begin, end)) bytes += BlockBytes(*slice);
    return bytes;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Rows(int64_t begin, int64_t end) const override {
    const Batches slices = Slices(begin, end);
    if (slices.size() == 1) return slices.front();
    if (slices.empty()) return arrow::RecordBatch::MakeEmpty(schema_);
    std::vector<Piece> pieces;
    for (const auto& slice : slices) {
      pieces.push_back({.block = {.batch = slice}, .offset = 0, .rows = slice->num_rows()});
    }
    PENSTOCK_TRY(Block joined, ConcatenatePieces(pieces));
    return joined.batch;
  }

 private:
  Batches Slices(int64_t begin, int64_t end) const {
    Batches slices;
    const auto after = std::upper_bound(borders_.begin(), borders_.end(), begin);
    for (auto i = static_cast<size_t>(after - borders_.begin()) - 1; begin < end; ++i) {
      const int64_t rows = std::min(end, borders_[i + 1]) - begin;
      if (rows == 0) continue;
      slices.push_back(rows == batches_[i]->num_rows()
                           ? batches_[i]
                           : batches_[i]->Slice(begin - borders_[i], rows));
      begin += rows;
    }
    return slices;
  }

  const Batches batches_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<int64_t> borders_{0};
};

Status UnifyBatches(Batches& batches) {
  if (batches.empty()) return Status::OK();
  std::shared_ptr<arrow::Schema> schema = batches.front()->schema();
  for (const auto& batch : batches) {
    PENSTOCK_TRY(schema, UnifySchemas(schema, batch->schema()));
  }
  for (auto& batch : batches) {
    PENSTOCK_TRY(batch, BringToSchema(batch, schema));
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<Source>> MakeMemorySource(const ReadOp& read, const ReadLimits& limits,
                                                 int /*parallelism*/) {
  OptionReader options("reader memory", read.options);
  PENSTOCK_TRY(auto files, options.Texts("files"));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  Batches batches = read.batches;
  PENSTOCK_RETURN_NOT_OK(UnifyBatches(batches));
  auto rows = std::make_unique<MemoryRows>(std::move(batches));
  RowBorders borders(rows->borders());
  return MakeSlicedSource("memory", std::move(rows), std::move(borders), read, limits,
                          std::move(files).value_or(std::vector<std::string>{}));
}

}  // namespace penstock
