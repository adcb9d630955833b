#include <arrow/adapters/orc/adapter.h>

#include <exception>
#include <utility>

#include "penstock/source/file_set.h"
#include "penstock/source/parted_source.h"
#include "penstock/source/registry.h"

/// The reader orc has only the options of all file readers. A split is a stripe.
///
/// A timestamp without a zone is what its writer's clock showed; one with a zone ("instant") is
/// UTC. Both have nanoseconds, so that years before 1677 and after 2262 do not fit.
namespace penstock {
namespace {

namespace orc = arrow::adapters::orc;

constexpr int64_t kCompressionRatio = 4;  // A guess.

/// Arrow lets some of what the ORC library throws pass.
template <typename Call>
auto Caught(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& error) {
    return Status::IOError(error.what());
  }
}

class OrcFile final : public PartedFile {
 public:
  OrcFile(std::unique_ptr<orc::ORCFileReader> reader, std::shared_ptr<arrow::Schema> schema)
      : reader_(std::move(reader)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t parts() const override { return reader_->NumberOfStripes(); }
  int64_t rows(int64_t part) const override { return reader_->GetStripeInformation(part).num_rows; }
  int64_t bytes(int64_t part) const override {
    return reader_->GetStripeInformation(part).length * kCompressionRatio;
  }
  Result<int64_t> CountRows() override { return reader_->NumberOfRows(); }

  Result<std::shared_ptr<arrow::RecordBatch>> Read(int64_t part,
                                                   const std::vector<int>& columns) override {
    using Batch = Result<std::shared_ptr<arrow::RecordBatch>>;
    PENSTOCK_TRY(auto batch, Caught([&]() -> Batch { return reader_->ReadStripe(part, columns); }));
    PENSTOCK_RETURN_NOT_OK(batch->ValidateFull());
    return batch;
  }

 private:
  const std::unique_ptr<orc::ORCFileReader> reader_;
  const std::shared_ptr<arrow::Schema> schema_;  // Shared as all of Arrow's schemas are.
};

class OrcFormat final : public PartedFormat {
 public:
  Result<std::unique_ptr<PartedFile>> Open(const InputFile& file) const override {
    PENSTOCK_TRY(const auto input, OpenFile(file));
    return Caught([&]() -> Result<std::unique_ptr<PartedFile>> {
      PENSTOCK_TRY(auto reader, orc::ORCFileReader::Open(input, arrow::default_memory_pool()));
      PENSTOCK_TRY(auto schema, reader->ReadSchema());
      return std::make_unique<OrcFile>(std::move(reader), std::move(schema));
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
