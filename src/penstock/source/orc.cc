#include <arrow/adapters/orc/adapter.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "penstock/memory/budget_pool.h"
#include "penstock/source/file_set.h"
#include "penstock/source/parted_source.h"
#include "penstock/source/registry.h"

/// The reader orc has only the options of all file readers. A split is a stripe; one that unpacks
/// to more than DecompressedBytesMax of its file is read a thousand rows at a time.
///
/// A timestamp without a zone is what its writer's clock showed; one with a zone ("instant") is
/// UTC. Both have nanoseconds, so that years before 1677 and after 2262 do not fit.
namespace penstock {
namespace {

namespace orc = arrow::adapters::orc;

constexpr int64_t kCompressionRatio = 4;  // A guess.
constexpr int64_t kRowsPerPiece = 1024;

/// Arrow lets some of what the ORC library throws pass.
template <typename Call>
auto Caught(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& error) {
    return Status::IOError(error.what());
  }
}

/// Reads a stripe that unpacks to more than memory should hold, a few rows at a time. The library
/// can only read a file from its start so: its seeking trusts indexes that may be damaged.
class StripeReader final : public arrow::RecordBatchReader {
 public:
  StripeReader(std::shared_ptr<arrow::RecordBatchReader> pieces, const orc::StripeInformation& of)
      : pieces_(std::move(pieces)), rows_before_(of.first_row_id), rows_left_(of.num_rows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return pieces_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    *batch = nullptr;
    while (rows_left_ > 0) {
      PENSTOCK_TRY(auto piece, Caught([&] { return pieces_->Next(); }));
      if (piece == nullptr) return Status::Invalid("the stripe has fewer rows than it counts");
      const int64_t passed_over = std::min(rows_before_, piece->num_rows());
      rows_before_ -= passed_over;
      piece = piece->Slice(passed_over, rows_left_);
      if (piece->num_rows() == 0) continue;
      rows_left_ -= piece->num_rows();
      *batch = std::move(piece);
      return (*batch)->ValidateFull();
    }
    return Status::OK();
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> pieces_;
  int64_t rows_before_;  // That are not the stripe's.
  int64_t rows_left_;
};

class OrcFile final : public PartedFile {
 public:
  OrcFile(std::unique_ptr<orc::ORCFileReader> reader, std::shared_ptr<arrow::Schema> schema,
          int64_t file_bytes)
      : reader_(std::move(reader)), schema_(std::move(schema)), file_bytes_(file_bytes) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t parts() const override { return reader_->NumberOfStripes(); }
  int64_t rows(int64_t part) const override { return reader_->GetStripeInformation(part).num_rows; }
  int64_t bytes(int64_t part) const override {
    return reader_->GetStripeInformation(part).length * kCompressionRatio;
  }
  Result<int64_t> CountRows() override { return reader_->NumberOfRows(); }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int64_t part,
                                                         const std::vector<int>& columns) override {
    using Batch = Result<std::shared_ptr<arrow::RecordBatch>>;
    const BudgetPool::Scope scope(DecompressedBytesMax(file_bytes_));
    const auto batch = Caught([&]() -> Batch { return reader_->ReadStripe(part, columns); });
    if (scope.exceeded()) return ReadInPieces(part, columns);
    PENSTOCK_RETURN_NOT_OK(batch.status());
    PENSTOCK_RETURN_NOT_OK((*batch)->ValidateFull());
    return arrow::RecordBatchReader::Make({*batch}, (*batch)->schema());
  }

 private:
  using Pieces = Result<std::shared_ptr<arrow::RecordBatchReader>>;

  Pieces ReadInPieces(int64_t part, const std::vector<int>& columns) {
    std::vector<std::string> names;
    for (const int column : columns) names.push_back(schema_->field(column)->name());
    PENSTOCK_TRY(auto pieces, Caught([&]() -> Pieces {
                   return reader_->GetRecordBatchReader(kRowsPerPiece, names);
                 }));
    return std::make_shared<StripeReader>(std::move(pieces), reader_->GetStripeInformation(part));
  }

  const std::unique_ptr<orc::ORCFileReader> reader_;
  const std::shared_ptr<arrow::Schema> schema_;  // Shared as all of Arrow's schemas are.
  const int64_t file_bytes_;
};

class OrcFormat final : public PartedFormat {
 public:
  Result<std::unique_ptr<PartedFile>> Open(const InputFile& file) const override {
    PENSTOCK_TRY(const auto input, OpenFile(file));
    return Caught([&]() -> Result<std::unique_ptr<PartedFile>> {
      PENSTOCK_TRY(auto reader, orc::ORCFileReader::Open(input, &BudgetPool::Shared()));
      PENSTOCK_TRY(auto schema, reader->ReadSchema());
      PENSTOCK_TRY(const int64_t bytes, input->GetSize());
      return std::make_unique<OrcFile>(std::move(reader), std::move(schema), bytes);
    });
  }

  const char* part_name() const override { return "stripe"; }
};

}  // namespace

Result<std::unique_ptr<Source>> MakeOrcSource(const ReadOp& read, const ReadLimits& limits,
                                              int /*parallelism*/) {
  OptionReader options("reader orc", read.options);
  PENSTOCK_TRY(auto set, ListFileSet(options, read, {"orc"}));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakePartedSource(std::make_unique<OrcFormat>(), std::move(set.files),
                          std::move(set.columns), read, limits);
}

}  // namespace penstock
