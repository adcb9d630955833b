#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/block/unify.h"
#include "penstock/plan/options.h"
#include "penstock/sink/output_folder.h"
#include "penstock/sink/parquet_file.h"
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

struct ParquetSinkOptions {
  std::string path;
  std::string mode;
  int64_t rows_per_part_min = 0;
  int64_t rows_per_part_max = 0;
  ParquetFileOptions file;
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
  PENSTOCK_TRY(read.file.row_group_rows,
               options.Integer("row_group_rows", read.file.row_group_rows, 1));
  PENSTOCK_TRY(read.create_folder, options.Bool("create_folder", true));
  PENSTOCK_TRY(const std::string codec, options.Text("compression", "snappy"));
  const auto known =
      arrow::util::Codec::GetCompressionType(codec == "none" ? "uncompressed" : codec);
  if (!known.ok() || !arrow::util::Codec::IsAvailable(*known)) {
    return options.Wrong("compression", "none, snappy, gzip, zstd, lz4 or brotli");
  }
  read.file.compression = *known;
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return read;
}

std::string RandomName() {
  std::random_device device;
  std::string name;
  for (int i = 0; i < 4; ++i) name += fmt::format("{:08x}", device());
  return name;
}

bool HoldsFixedSizeList(const arrow::DataType& type) {
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) return true;
  if (type.id() == arrow::Type::EXTENSION) {
    return HoldsFixedSizeList(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  return std::ranges::any_of(type.fields(),
                             [](const auto& field) { return HoldsFixedSizeList(*field->type()); });
}

/// Arrow writes nulls among tensors and other lists of a fixed size, but cannot read them.
bool CanBeRead(const arrow::RecordBatch& batch) {
  return std::ranges::none_of(batch.columns(), [](const auto& column) {
    return column->null_count() > 0 && HoldsFixedSizeList(*column->type());
  });
}

/// What all parts of one write have in common. Threads: any.
class SharedParts {
 public:
  /// Adds a file that is durable under its temporary name, by part and place in it.
  void Add(int64_t part, size_t place, PartFile file) {
    MutexLock lock(mutex_);
    files_.insert_or_assign({part, place}, std::move(file));
  }

  std::vector<PartFile> InOrder() {
    MutexLock lock(mutex_);
    std::vector<PartFile> files;
    for (const auto& [place, file] : files_) files.push_back(file);
    return files;
  }

  /// Checks that files of this schema can be read together with the others.
  Status CheckSchema(const std::shared_ptr<arrow::Schema>& schema) {
    MutexLock lock(mutex_);
    if (schema_ == nullptr) schema_ = schema;
    PENSTOCK_TRY(schema_, UnifySchemas(schema_, schema));
    return Status::OK();
  }

 private:
  Mutex mutex_;
  std::map<std::pair<int64_t, size_t>, PartFile> files_ PENSTOCK_GUARDED_BY(mutex_);
  std::shared_ptr<arrow::Schema> schema_ PENSTOCK_GUARDED_BY(mutex_);  // Null without a file.
};

class ParquetPartWriter final : public PartWriter {
 public:
  ParquetPartWriter(const ParquetSinkOptions& options, OutputFolder& folder, int64_t part,
                    std::string name, std::shared_ptr<SharedParts> shared)
      : options_(options),
        folder_(folder),
        part_(part),
        name_(std::move(name)),
        shared_(std::move(shared)) {}

  Status Write(const Block& block) override {
    if (block.batch->num_columns() == 0) {
      return Status::Invalid("Cannot write ", options_.path, "/", name_,
                             ": Parquet cannot hold rows without columns; keep or add one");
    }
    PENSTOCK_TRY(const auto batch, MakeFit(block.batch));
    return file_->Write(*batch);
  }

  Result<std::vector<PartFile>> Close() override {
    if (file_ != nullptr) PENSTOCK_RETURN_NOT_OK(CloseFile());
    return std::exchange(done_, {});
  }

 private:
  /// Returns the batch in the schema of the open file: of a new one where it does not go into the
  /// one before as it is. The schema grows from file to file, so that there are few of them.
  Result<std::shared_ptr<arrow::RecordBatch>> MakeFit(
      const std::shared_ptr<arrow::RecordBatch>& batch) {
    std::shared_ptr<arrow::Schema> schema = batch->schema();
    if (file_ != nullptr) {
      if (schema->Equals(*file_->schema(), /*check_metadata=*/false)) return batch;
      PENSTOCK_TRY(schema, UnifySchemas(file_->schema(), schema));
    }
    auto fit = BringToSchema(batch, schema);
    if (!fit.ok() || !CanBeRead(**fit)) {
      schema = batch->schema();
      fit = batch;
    }
    if (file_ != nullptr && schema->Equals(*file_->schema(), /*check_metadata=*/false)) return fit;
    PENSTOCK_RETURN_NOT_OK(shared_->CheckSchema(schema));
    if (file_ != nullptr) PENSTOCK_RETURN_NOT_OK(CloseFile());
    const std::string place = done_.empty() ? "" : fmt::format("_{:06}", done_.size());
    PENSTOCK_TRY(file_, ParquetFile::Create(folder_, name_ + place + kExtension, std::move(schema),
                                            options_.file));
    return fit;
  }

  Status CloseFile() {
    PENSTOCK_TRY(const PartFile file, file_->Close());
    shared_->Add(part_, done_.size(), file);
    done_.push_back(file);
    file_ = nullptr;
    return Status::OK();
  }

  const ParquetSinkOptions& options_;  // The sink's, as the folder; it outlives its writers.
  OutputFolder& folder_;
  const int64_t part_;
  const std::string name_;
  const std::shared_ptr<SharedParts> shared_;  // Shared with the sink.
  std::unique_ptr<ParquetFile> file_;          // Null before the first block.
  std::vector<PartFile> done_;
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
    return std::make_unique<ParquetPartWriter>(options_, *folder_, part,
                                               fmt::format("{}_{:06}", write_name_, part), shared_);
  }

  Result<std::vector<PartFile>> Commit() override {
    std::vector<PartFile> parts = shared_->InOrder();
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
    for (const PartFile& part : shared_->InOrder()) folder_->RemoveTemporary(part.name);
    folder_->RemoveIfCreated();
  }

  int64_t rows_per_part_max() const override { return options_.rows_per_part_max; }
  int64_t rows_per_part_min() const override { return options_.rows_per_part_min; }

 private:
  const ParquetSinkOptions options_;
  const std::unique_ptr<OutputFolder> folder_;
  const std::string write_name_ = RandomName();
  const std::shared_ptr<SharedParts> shared_ = std::make_shared<SharedParts>();
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
