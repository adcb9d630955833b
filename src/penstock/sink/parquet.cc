#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/plan/options.h"
#include "penstock/sink/output_folder.h"
#include "penstock/sink/registry.h"

/// Options of the writer parquet:
///   path               the folder to write to; required
///   mode               "append", "overwrite" (the parts that were there go once the new ones
///                      stand), "ignore" (do nothing where there are parts), "error" (where there
///                      are); "append"
///   rows_per_part_min  see Sink; 0
///   rows_per_part_max  see Sink; 0
///   compression        "none", "snappy", "gzip", "zstd", "lz4" or "brotli"; "snappy"
///   row_group_rows     at most so many rows a row group; 1048576
///   create_folder      whether a folder that is not there is made; true
namespace penstock {
namespace {

constexpr const char* kExtension = ".parquet";
constexpr int64_t kRowGroupBytesMax = int64_t{64} << 20;
constexpr int64_t kRowGroupRowsDefault = int64_t{1} << 20;

struct ParquetSinkOptions {
  std::string path;
  std::string mode;
  int64_t rows_per_part_min = 0;
  int64_t rows_per_part_max = 0;
  int64_t row_group_rows = kRowGroupRowsDefault;
  arrow::Compression::type compression = arrow::Compression::SNAPPY;
  bool create_folder = true;
};

Result<ParquetSinkOptions> ReadOptions(const nlohmann::json& json) {
  OptionReader options("writer parquet", json);
  ParquetSinkOptions read;
  PENSTOCK_TRY(read.path, options.Text("path", ""));
  if (read.path.empty()) return Status::Invalid("writer parquet: give the folder in \"path\"");
  PENSTOCK_TRY(read.mode, options.Text("mode", "append"));
  constexpr std::array kModes{"append", "overwrite", "ignore", "error"};
  if (std::ranges::find(kModes, read.mode) == kModes.end()) {
    return options.Wrong("mode", "append, overwrite, ignore or error");
  }
  PENSTOCK_TRY(read.rows_per_part_min, options.Integer("rows_per_part_min", 0, 0));
  PENSTOCK_TRY(read.rows_per_part_max, options.Integer("rows_per_part_max", 0, 0));
  if (read.rows_per_part_max > 0 && read.rows_per_part_min > read.rows_per_part_max) {
    return options.Wrong("rows_per_part_min", "at most rows_per_part_max");
  }
  PENSTOCK_TRY(read.row_group_rows, options.Integer("row_group_rows", kRowGroupRowsDefault, 1));
  PENSTOCK_TRY(read.create_folder, options.Bool("create_folder", true));
  PENSTOCK_TRY(const std::string codec, options.Text("compression", "snappy"));
  const auto known =
      arrow::util::Codec::GetCompressionType(codec == "none" ? "uncompressed" : codec);
  if (!known.ok() || !arrow::util::Codec::IsAvailable(*known)) {
    return options.Wrong("compression", "none, snappy, gzip, zstd, lz4 or brotli");
  }
  read.compression = *known;
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return read;
}

std::string RandomName() {
  std::random_device device;
  std::string name;
  for (int i = 0; i < 4; ++i) name += fmt::format("{:08x}", device());
  return name;
}

/// Says which column is not as in the part's first block.
Status CheckSchema(const arrow::Schema& first, const arrow::Schema& now, const std::string& part) {
  const auto mismatch = [&part](const std::string& what) {
    return MakeError(ErrorKind::kSchemaMismatch,
                     fmt::format("{}: {}; all blocks of a part must have the same columns and "
                                 "types: make the function return them so",
                                 part, what));
  };
  for (const auto& field : first.fields()) {
    const auto other = now.GetFieldByName(field->name());
    if (other == nullptr) {
      return mismatch(fmt::format("a later block lacks the column \"{}\"", field->name()));
    }
    if (!other->type()->Equals(*field->type())) {
      return mismatch(fmt::format("column \"{}\" was {}, but in a later block it is {}",
                                  field->name(), field->type()->ToString(),
                                  other->type()->ToString()));
    }
  }
  for (const auto& field : now.fields()) {
    if (first.GetFieldByName(field->name()) == nullptr) {
      return mismatch(fmt::format("a later block has a new column \"{}\"", field->name()));
    }
  }
  return Status::OK();
}

/// The parts that are durable under their temporary names. Threads: any.
class ClosedParts {
 public:
  void Add(int64_t part, PartFile file) {
    MutexLock lock(mutex_);
    files_.insert_or_assign(part, std::move(file));
  }
  std::vector<PartFile> InOrder() {
    MutexLock lock(mutex_);
    std::vector<PartFile> files;
    for (const auto& [part, file] : files_) files.push_back(file);
    return files;
  }

 private:
  Mutex mutex_;
  std::map<int64_t, PartFile> files_ PENSTOCK_GUARDED_BY(mutex_);
};

class ParquetPartWriter final : public PartWriter {
 public:
  ParquetPartWriter(const ParquetSinkOptions& options, int64_t part, std::string name,
                    std::unique_ptr<TemporaryFile> file, std::shared_ptr<ClosedParts> closed)
      : options_(options),
        part_(part),
        name_(std::move(name)),
        file_(std::move(file)),
        closed_(std::move(closed)) {}

  Status Write(const Block& block) override {
    std::shared_ptr<arrow::RecordBatch> batch = block.batch;
    if (writer_ == nullptr) {
      schema_ = batch->schema();
      PENSTOCK_RETURN_NOT_OK(Named(OpenWriter()));
    } else if (!batch->schema()->Equals(*schema_, /*check_metadata=*/false)) {
      PENSTOCK_RETURN_NOT_OK(CheckSchema(*schema_, *batch->schema(), name_));
      PENSTOCK_TRY(batch, InOrder(*batch));
    }
    return Named(WriteSlices(*batch));
  }

  Result<PartFile> Close() override {
    if (writer_ == nullptr) return PartFile{};
    PENSTOCK_RETURN_NOT_OK(Named(writer_->Close()));
    PENSTOCK_TRY(const int64_t bytes, file_->Keep());
    PartFile done{.name = name_, .rows = rows_, .bytes = bytes};
    closed_->Add(part_, done);
    return done;
  }

 private:
  Status OpenWriter() {
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(options_.compression)
                                ->max_row_group_length(options_.row_group_rows)
                                ->enable_page_checksum()
                                ->build();
    const auto arrow_properties =
        parquet::ArrowWriterProperties::Builder().store_schema()->set_use_threads(false)->build();
    PENSTOCK_TRY(writer_,
                 parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(),
                                                  file_->stream(), properties, arrow_properties));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> InOrder(const arrow::RecordBatch& batch) const {
    std::vector<int> positions;
    for (const std::string& name : schema_->field_names()) {
      positions.push_back(batch.schema()->GetFieldIndex(name));
    }
    return batch.SelectColumns(positions);
  }

  /// Writes so that no row group grows far beyond the bytes that may be held in memory.
  Status WriteSlices(const arrow::RecordBatch& batch) {
    const int64_t bytes = BlockBytes(batch);
    const int64_t slices =
        std::max<int64_t>((bytes + kRowGroupBytesMax - 1) / kRowGroupBytesMax, 1);
    const int64_t slice_rows = std::max<int64_t>((batch.num_rows() + slices - 1) / slices, 1);
    for (int64_t offset = 0; offset < batch.num_rows(); offset += slice_rows) {
      if (group_bytes_ > 0 && group_bytes_ + bytes / slices > kRowGroupBytesMax) {
        PENSTOCK_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
        group_bytes_ = 0;
      }
      const auto slice = batch.Slice(offset, slice_rows);
      PENSTOCK_RETURN_NOT_OK(writer_->WriteRecordBatch(*slice));
      group_bytes_ += bytes / slices;
      rows_ += slice->num_rows();
    }
    return Status::OK();
  }

  Status Named(const Status& status) const {
    if (status.ok() || status.message().find(name_) != std::string::npos) return status;
    return status.WithMessage("Cannot write ", options_.path, "/", name_, ": ", status.message());
  }

  const ParquetSinkOptions& options_;  // The sink's; it outlives its writers.
  const int64_t part_;
  const std::string name_;
  const std::unique_ptr<TemporaryFile> file_;
  const std::shared_ptr<ClosedParts> closed_;  // Shared with the sink.
  std::shared_ptr<arrow::Schema> schema_;      // Of the first block.
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t group_bytes_ = 0;
  int64_t rows_ = 0;
};

class ParquetSink final : public Sink {
 public:
  ParquetSink(ParquetSinkOptions options, std::unique_ptr<OutputFolder> folder)
      : options_(std::move(options)), folder_(std::move(folder)) {}

  Result<SinkStart> Start() override {
    PENSTOCK_TRY(const bool exists, folder_->Exists());
    if (!exists && !options_.create_folder) {
      return MakeError(ErrorKind::kMissingPath,
                       fmt::format("The folder to write to is not there; make it, or let it be "
                                   "made (create_folder); got: {}",
                                   options_.path));
    }
    if (exists && options_.mode != "append") {
      PENSTOCK_TRY(old_files_, folder_->List(options_.mode == "overwrite" ? kExtension : ""));
    }
    if (!old_files_.empty() && options_.mode == "ignore") return SinkStart::kSkip;
    if (!old_files_.empty() && options_.mode == "error") {
      return Status::AlreadyExists(fmt::format(
          "The folder to write to has files already, such as {}; write elsewhere, or choose the "
          "mode append, overwrite or ignore; got: {}",
          old_files_.front(), options_.path));
    }
    PENSTOCK_RETURN_NOT_OK(folder_->Create());
    return SinkStart::kWrite;
  }

  Result<std::unique_ptr<PartWriter>> Open(int64_t part) override {
    std::string name = fmt::format("{}_{:06}{}", write_name_, part, kExtension);
    PENSTOCK_TRY(auto file, folder_->CreateTemporary(name));
    return std::make_unique<ParquetPartWriter>(options_, part, std::move(name), std::move(file),
                                               closed_);
  }

  Result<std::vector<PartFile>> Commit() override {
    std::vector<PartFile> parts = closed_->InOrder();
    for (const PartFile& part : parts) {
      PENSTOCK_RETURN_NOT_OK(folder_->Publish(part.name));
      published_.push_back(part.name);
    }
    PENSTOCK_RETURN_NOT_OK(folder_->Sync());
    committed_ = true;
    if (options_.mode == "overwrite") {
      for (const std::string& name : old_files_) PENSTOCK_RETURN_NOT_OK(folder_->Remove(name));
      PENSTOCK_RETURN_NOT_OK(folder_->Sync());
    }
    return parts;
  }

  void Abort() override {
    if (committed_) return;
    for (const std::string& name : std::exchange(published_, {})) {
      static_cast<void>(folder_->Remove(name));
    }
    for (const PartFile& part : closed_->InOrder()) folder_->RemoveTemporary(part.name);
    folder_->RemoveIfCreated();
  }

  int64_t rows_per_part_max() const override { return options_.rows_per_part_max; }
  int64_t rows_per_part_min() const override { return options_.rows_per_part_min; }

 private:
  const ParquetSinkOptions options_;
  const std::unique_ptr<OutputFolder> folder_;
  const std::string write_name_ = RandomName();
  const std::shared_ptr<ClosedParts> closed_ = std::make_shared<ClosedParts>();
  std::vector<std::string> old_files_;  // At Start; where the mode asks for them.
  std::vector<std::string> published_;
  bool committed_ = false;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeParquetSink(const WriteOp& write) {
  PENSTOCK_TRY(ParquetSinkOptions options, ReadOptions(write.options));
  PENSTOCK_TRY(auto folder, OpenOutputFolder(options.path));
  return std::make_unique<ParquetSink>(std::move(options), std::move(folder));
}

}  // namespace penstock
