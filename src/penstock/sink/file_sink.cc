#include "penstock/sink/file_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <random>
#include <set>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/ledger_folder.h"
#include "penstock/sink/given_names.h"
#include "penstock/sink/output_folder.h"
#include "penstock/sink/part_files.h"
#include "penstock/sink/partitions.h"
#include "penstock/sink/registry.h"

namespace penstock {
namespace {

/// Beyond it the file that has waited longest is closed; its folder's next rows begin another.
constexpr size_t kOpenFilesOfPartMax = 64;

constexpr const char* kCompleteMarker = "_SUCCESS";

struct FileSinkOptions {
  std::string path;
  std::string mode;
  std::string write_name;  // Empty: one that is drawn.
  int64_t rows_per_part_min = 0;
  int64_t rows_per_part_max = 0;
  int64_t bytes_per_part_min = 0;
  int64_t steps_max = 0;
  std::vector<std::string> partition_columns;
  std::string name_column;
  bool create_folder = true;
  std::vector<std::string> retried_errors;
};

Result<FileSinkOptions> ReadOptions(OptionReader& options) {
  FileSinkOptions read;
  PENSTOCK_TRY(read.path, options.Text("path", ""));
  if (read.path.empty())
    return Status::Invalid("A writer needs the folder to write to in \"path\"");
  PENSTOCK_TRY(read.mode, options.Text("mode", "append"));
  constexpr std::array kModes{"append", "overwrite", "ignore", "error", "resume"};
  if (std::ranges::find(kModes, read.mode) == kModes.end()) {
    return options.Wrong("mode", "append, overwrite, ignore, error or resume");
  }
  PENSTOCK_TRY(read.write_name, options.Text("write_name", ""));
  PENSTOCK_TRY(read.rows_per_part_min, options.Integer("rows_per_part_min", 0, 0));
  PENSTOCK_TRY(read.rows_per_part_max, options.Integer("rows_per_part_max", 0, 0));
  if (read.rows_per_part_max > 0 && read.rows_per_part_min > read.rows_per_part_max) {
    return options.Wrong("rows_per_part_min", "at most rows_per_part_max");
  }
  PENSTOCK_TRY(read.bytes_per_part_min, options.Integer("bytes_per_part_min", 0, 0));
  PENSTOCK_TRY(read.steps_max, options.Integer("steps_max", 0, 0));
  PENSTOCK_TRY(auto columns, options.Texts("partition_columns"));
  read.partition_columns = std::move(columns).value_or(std::vector<std::string>());
  PENSTOCK_TRY(read.name_column, options.Text("name_column", ""));
  PENSTOCK_TRY(read.create_folder, options.Bool("create_folder", true));
  PENSTOCK_TRY(auto retried, options.Texts("retried_io_errors"));
  read.retried_errors = std::move(retried).value_or(std::vector<std::string>());
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return read;
}

std::string RandomName() {
  std::random_device device;
  std::string name;
  for (int i = 0; i < 4; ++i) name += fmt::format("{:08x}", device());
  return name;
}

class FilePartWriter final : public PartWriter {
 public:
  FilePartWriter(const FileSinkOptions& options, const FileFormat& format, OutputFolder& folder,
                 std::shared_ptr<SharedParts> shared, int64_t part, std::string name)
      : options_(options),
        format_(format),
        folder_(folder),
        shared_(std::move(shared)),
        part_(part),
        name_(std::move(name)) {}

  Status Write(const Block& block) override {
    if (block.rows() == 0) {
      empty_ = block.batch;
      return Status::OK();
    }
    if (block.batch->num_columns() == 0) {
      return Status::Invalid("Cannot write ", options_.path, "/", name_, format_.extension(),
                             ": a file cannot hold rows without columns; keep or add one");
    }
    if (options_.partition_columns.empty()) return WriteTo("", block.batch);
    PENSTOCK_TRY(const auto partitions, PartByColumns(block.batch, options_.partition_columns));
    for (const auto& [subfolder, batch] : partitions) {
      PENSTOCK_RETURN_NOT_OK(WriteTo(subfolder, batch));
    }
    return Status::OK();
  }

  Result<std::vector<PartFile>> Close() override {
    if (sequences_.empty() && empty_ != nullptr) PENSTOCK_RETURN_NOT_OK(WriteEmpty());
    for (auto& [subfolder, sequence] : sequences_) PENSTOCK_RETURN_NOT_OK(sequence.CloseFile());
    sequences_.clear();
    return shared_->OfPart(part_);
  }

 private:
  /// Writes a file that has columns, as far as they are known, but no rows.
  Status WriteEmpty() {
    if (empty_->num_columns() == 0) {
      return format_.holds_no_columns() ? WriteTo("", empty_) : Status::OK();
    }
    if (options_.partition_columns.empty()) return WriteTo("", empty_);
    PENSTOCK_TRY(const Partition partition, EmptyPartition(empty_, options_.partition_columns));
    return WriteTo(partition.subfolder, partition.batch);
  }

  Status WriteTo(const std::string& subfolder, const std::shared_ptr<arrow::RecordBatch>& batch) {
    recent_.remove(subfolder);
    recent_.push_back(subfolder);
    if (recent_.size() > kOpenFilesOfPartMax) {
      PENSTOCK_RETURN_NOT_OK(sequences_.at(recent_.front()).CloseFile());
      recent_.pop_front();
    }
    return sequences_
        .try_emplace(subfolder, format_, folder_, *shared_, part_, subfolder, name_,
                     options_.name_column)
        .first->second.Write(batch);
  }

  const FileSinkOptions& options_;  // The sink's, as the format and the folder; it outlives us.
  const FileFormat& format_;
  OutputFolder& folder_;
  const std::shared_ptr<SharedParts> shared_;  // Shared with the sink.
  const int64_t part_;
  const std::string name_;
  std::map<std::string, FileSequence> sequences_;  // By subfolder.
  std::shared_ptr<arrow::RecordBatch> empty_;      // The last one; null before the first.
  std::list<std::string> recent_;                  // Subfolders with an open file, oldest first.
};

class FileSink final : public Sink {
 public:
  FileSink(FileSinkOptions options, std::unique_ptr<FileFormat> format,
           std::shared_ptr<FileNames> names, std::string write_name,
           std::unique_ptr<OutputFolder> folder, std::unique_ptr<FileFormat> letter_format)
      : options_(std::move(options)),
        format_(std::move(format)),
        names_(std::move(names)),
        write_name_(std::move(write_name)),
        folder_(std::move(folder)),
        letter_options_{.path = options_.path},
        letter_format_(std::move(letter_format)) {}

  Result<SinkStart> Start() override {
    PENSTOCK_TRY(const bool exists, folder_->Exists());
    if (!exists && !options_.create_folder) {
      return MakeError(ErrorKind::kMissingPath,
                       fmt::format("The folder to write to is not there; make it, or let it be "
                                   "made (create_folder); got: {}",
                                   options_.path));
    }
    if (exists && options_.mode != "append" && options_.mode != "resume") {
      const bool by_format = options_.mode == "overwrite" && !NamesAreGiven();
      PENSTOCK_TRY(old_files_, folder_->List(by_format ? Extension() : ""));
    }
    if (!old_files_.empty() && options_.mode == "ignore") return SinkStart::kSkip;
    if (!old_files_.empty() && options_.mode == "error") {
      return Status::AlreadyExists(fmt::format(
          "The folder to write to has files already, such as {}; write elsewhere, or choose the "
          "mode append, overwrite or ignore; got: {}",
          old_files_.front(), options_.path));
    }
    PENSTOCK_RETURN_NOT_OK(folder_->Create());
    if (!ledger_folder().empty()) return SinkStart::kWrite;
    const Status claimed = folder_->Claim();
    if (claimed.ok()) return SinkStart::kWrite;
    folder_->RemoveIfCreated();
    return claimed;
  }

  Result<std::unique_ptr<PartWriter>> Open(int64_t part, const std::string& label) override {
    return std::make_unique<FilePartWriter>(options_, *format_, *folder_, shared_, part,
                                            write_name_ + "_" + label);
  }

  Result<std::unique_ptr<PartWriter>> OpenDeadLetters(const std::string& label) override {
    const std::string name = fmt::format("{}/{}_{}", kDeadLetterFolder, write_name_, label);
    // Each on its own: rows that different stages leave out need have no columns in common.
    letters_.push_back(std::make_shared<SharedParts>());
    return std::make_unique<FilePartWriter>(letter_options_, *letter_format_, *folder_,
                                            letters_.back(), /*part=*/0, name);
  }

  Result<std::vector<PartFile>> Commit() override {
    std::vector<ClosedFile> files = shared_->InOrder();
    PENSTOCK_RETURN_NOT_OK(GiveNames(files));
    PENSTOCK_RETURN_NOT_OK(PublishLetters());
    std::vector<PartFile> parts;
    for (ClosedFile& closed : files) {
      const bool replaces = std::ranges::binary_search(old_files_, closed.file.name);
      PENSTOCK_RETURN_NOT_OK(
          folder_->Publish(closed.file.temporary_name, closed.file.name,
                           /*replace=*/replaces && options_.mode == "overwrite"));
      published_.push_back(closed.file.name);
      parts.push_back(std::move(closed.file));
    }
    PENSTOCK_RETURN_NOT_OK(folder_->Sync());
    committed_ = true;
    if (options_.mode == "overwrite") PENSTOCK_RETURN_NOT_OK(RemoveOldFiles());
    folder_->Release();
    return parts;
  }

  void Abort() override {
    if (committed_) return;
    for (const std::string& name : std::exchange(published_, {})) {
      static_cast<void>(folder_->Remove(name));
    }
    if (ledger_folder().empty()) {
      RemoveTemporariesOf(*shared_);
      for (const auto& file : letters_) RemoveTemporariesOf(*file);
    }
    folder_->Release();
    folder_->RemoveIfCreated();
  }

  std::string ledger_folder() const override { return folder_->LedgerFolder(); }
  Status RemoveTemporaries() override { return folder_->RemoveTemporaries(); }
  Status SyncTemporaries() override { return folder_->SyncTemporaries(); }

  Status Publish(const std::vector<PartFile>& files) override {
    for (const PartFile& file : files) {
      PENSTOCK_RETURN_NOT_OK(folder_->PublishAgain(file.temporary_name, file.name));
    }
    return folder_->Sync();
  }

  Status RemoveFiles(const std::vector<std::string>& names) override {
    PENSTOCK_RETURN_NOT_OK(folder_->Remove(kCompleteMarker));
    for (const std::string& name : names) PENSTOCK_RETURN_NOT_OK(folder_->Remove(name));
    return folder_->Sync();
  }

  Status RemoveDeadLetters(const std::vector<PartFile>& files) override {
    for (const PartFile& file : files) PENSTOCK_RETURN_NOT_OK(folder_->Remove(file.name));
    return folder_->Sync();
  }

  Status MarkComplete() override {
    committed_ = true;
    return folder_->PutMarker(kCompleteMarker);
  }

  int64_t rows_per_part_max() const override { return options_.rows_per_part_max; }
  int64_t rows_per_part_min() const override { return options_.rows_per_part_min; }
  int64_t bytes_per_part_min() const override { return options_.bytes_per_part_min; }
  int64_t steps_max() const override { return options_.steps_max; }

 private:
  std::string Extension() const {
    return format_->extension() + CompressionSuffix(format_->stream_compression());
  }

  bool NamesAreGiven() const { return names_ != nullptr || !options_.name_column.empty(); }

  Status GiveNames(std::vector<ClosedFile>& files) {
    if (!NamesAreGiven() || files.empty()) return Status::OK();
    if (names_ != nullptr) PENSTOCK_RETURN_NOT_OK(AskForNames(files));
    std::set<std::string_view> seen;
    for (const ClosedFile& closed : files) {
      if (!seen.insert(closed.file.name).second) {
        return Status::Invalid(
            "Two files must not have one name; let the file-name provider put what tells them "
            "apart into it: the task's index, or the row's; got: '",
            closed.file.name, "'");
      }
      extensions_.insert(StemAndExtension(closed.file.name, Extension()).second);
    }
    return Status::OK();
  }

  /// Asks the caller for the parts' names.
  Status AskForNames(std::vector<ClosedFile>& files) {
    std::vector<int64_t> parts;
    for (const ClosedFile& closed : files) {
      if (parts.empty() || parts.back() != closed.part) parts.push_back(closed.part);
    }
    PENSTOCK_TRY(const auto names, names_->NamesOf(write_name_, parts));
    for (ClosedFile& closed : files) {
      const size_t place =
          static_cast<size_t>(std::ranges::lower_bound(parts, closed.part) - parts.begin());
      PENSTOCK_RETURN_NOT_OK(CheckGivenName(names.at(place)));
      const auto [stem, extension] = StemAndExtension(names[place], Extension());
      closed.file.name = closed.subfolder + stem + closed.place + extension;
    }
    return Status::OK();
  }

  void RemoveTemporariesOf(SharedParts& parts) {
    for (const ClosedFile& closed : parts.InOrder()) {
      folder_->RemoveTemporary(closed.file.temporary_name);
    }
  }

  /// Shows the dead letters before the parts that lack their rows.
  Status PublishLetters() {
    for (const auto& file : letters_) {
      for (const ClosedFile& closed : file->InOrder()) {
        PENSTOCK_RETURN_NOT_OK(
            folder_->Publish(closed.file.temporary_name, closed.file.name, /*replace=*/false));
        published_.push_back(closed.file.name);
      }
    }
    return Status::OK();
  }

  Status RemoveOldFiles() {
    const std::set<std::string> kept(published_.begin(), published_.end());
    extensions_.insert(Extension());
    for (const std::string& name : old_files_) {
      const bool is_of_its_kind = std::ranges::any_of(
          extensions_, [&](const std::string& extension) { return name.ends_with(extension); });
      if (is_of_its_kind && !kept.contains(name)) PENSTOCK_RETURN_NOT_OK(folder_->Remove(name));
    }
    PENSTOCK_RETURN_NOT_OK(folder_->RemoveLedger(kept));
    PENSTOCK_RETURN_NOT_OK(folder_->Remove(kCompleteMarker));
    return folder_->Sync();
  }

  const FileSinkOptions options_;
  const std::unique_ptr<FileFormat> format_;
  const std::shared_ptr<FileNames> names_;  // Shared with the plan; null: names of our own.
  const std::string write_name_;
  const std::unique_ptr<OutputFolder> folder_;
  const std::shared_ptr<SharedParts> shared_ = std::make_shared<SharedParts>();
  const FileSinkOptions letter_options_;  // As the format, of dead letters.
  const std::unique_ptr<FileFormat> letter_format_;
  std::vector<std::shared_ptr<SharedParts>> letters_;  // One a file, shared with its writer.
  std::vector<std::string> old_files_;  // At Start, sorted; where the mode asks for them.
  std::set<std::string> extensions_;    // Of the names that were given.
  std::vector<std::string> published_;
  bool committed_ = false;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeFileSink(OptionReader options, std::unique_ptr<FileFormat> format,
                                           const WriteOp& write) {
  PENSTOCK_TRY(FileSinkOptions read, ReadOptions(options));
  const std::string run_name = RandomName();
  FileAccess access{.file_system = write.file_system, .retried_errors = read.retried_errors};
  const bool with_ledger =
      read.mode == "resume" && write.file_names == nullptr && read.name_column.empty();
  if (!read.name_column.empty() && !format->file_per_row()) {
    return Status::Invalid("Only files of one row each can be named by a column; leave it out: ",
                           read.name_column);
  }
  PENSTOCK_TRY(auto folder, OpenOutputFolder(read.path, std::move(access), run_name, with_ledger));
  const bool has_name = !folder->LedgerFolder().empty() && !read.write_name.empty();
  const std::string write_name = has_name ? read.write_name : run_name;
  const nlohmann::json no_options = nlohmann::json::object();
  OptionReader letter_options("The Parquet writer", no_options);
  PENSTOCK_TRY(auto letter_format, MakeParquetFormat(letter_options));
  return std::make_unique<FileSink>(std::move(read), std::move(format), write.file_names,
                                    write_name, std::move(folder), std::move(letter_format));
}

}  // namespace penstock
