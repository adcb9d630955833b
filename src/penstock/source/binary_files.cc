#include <arrow/array/builder_binary.h>

#include "penstock/source/registry.h"
#include "penstock/source/whole_files.h"

/// The reader binary_files has only the options of all readers of whole files. One row a file, in
/// a column "bytes"; a file that ends in the suffix of a codec is decompressed.
namespace penstock {
namespace {

/// What a binary column's offsets can tell apart, less a block of other files.
constexpr int64_t kFileBytesMax = (int64_t{1} << 31) - (int64_t{1} << 27);

class BinaryRows final : public FileRows {
 public:
  explicit BinaryRows(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  Status Add(const std::string& path, const std::shared_ptr<arrow::Buffer>& bytes) override {
    return values_.Append(bytes->data(), static_cast<int32_t>(bytes->size()));
  }

  int64_t rows() const override { return values_.length(); }
  int64_t bytes() const override { return values_.value_data_length(); }

  Result<std::shared_ptr<arrow::RecordBatch>> Take() override {
    const int64_t rows = values_.length();
    PENSTOCK_TRY(auto column, values_.Finish());
    return arrow::RecordBatch::Make(schema_, rows, {std::move(column)});
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  arrow::BinaryBuilder values_;
};

class BinaryFormat final : public FileFormat {
 public:
  int64_t file_bytes_max() const override { return kFileBytesMax; }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema(const NextFile& next) const override {
    return arrow::schema({arrow::field("bytes", arrow::binary())});
  }

  std::unique_ptr<FileRows> MakeRows(const std::shared_ptr<arrow::Schema>& schema) const override {
    return std::make_unique<BinaryRows>(schema);
  }
};

}  // namespace

Result<std::unique_ptr<Source>> MakeBinaryFilesSource(const ReadOp& read, const ReadLimits& limits,
                                                      int /*parallelism*/) {
  OptionReader options("reader binary_files", read.options);
  PENSTOCK_TRY(WholeFileOptions files, ReadWholeFileOptions(options, read));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeWholeFileSource(std::make_unique<BinaryFormat>(), std::move(files), read, limits);
}

}  // namespace penstock
