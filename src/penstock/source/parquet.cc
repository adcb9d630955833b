#include <fmt/format.h>
#include <parquet/exception.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"
#include "penstock/source/file_set.h"
#include "penstock/source/input_files.h"
#include "penstock/source/joined_reader.h"
#include "penstock/source/parquet_columns.h"
#include "penstock/source/parquet_filter.h"
#include "penstock/source/parquet_footer.h"
#include "penstock/source/parquet_footers.h"
#include "penstock/source/parquet_row_groups.h"
#include "penstock/source/registry.h"

/// The reader parquet has the options of all file readers, and those of parquet_columns.h.
///
/// All files are read as one schema: the columns of the first in their order, then those that come
/// in later ones, by name; types are promoted and what a file lacks is null (see block/unify.h).
/// kSchemaMismatch, naming both files, where no type holds both. So the footers of all files are
/// read, several at once, before the first row; those that fit the cache are not read again.
///
/// A file whose path alone rules the filter out is not opened, and does not count for the schema;
/// but all are where one of the others has a column of its own in a partition's place, or a column
/// that is asked for is in none of them.
///
/// A split is a row group, or, where a number of splits is wished for, a run of neighbouring row
/// groups, of several files perhaps, of about the same size; never less than a row group.
namespace penstock {
namespace {

/// What is opened, after the filter's look at the paths.
struct ChosenFiles {
  std::vector<int64_t> schema;  // Whose columns count: at least one.
  std::vector<int64_t> rows;    // Whose rows are read.
};

class ParquetSource final : public Source {
 public:
  ParquetSource(FileSet set, ParquetColumns columns, ParquetFilter filter, const ReadOp& read,
                const ReadLimits& limits)
      : files_(std::move(set.files)),
        footers_(files_),
        file_columns_(std::move(set.columns)),
        made_columns_(std::move(columns)),
        columns_(read.columns),
        filter_(std::move(filter)),
        rows_max_(read.filter ? INT64_MAX : read.row_limit.value_or(INT64_MAX)),
        counts_all_(!read.filter && !read.row_limit),
        splits_wished_(read.splits),
        limits_(limits),
        chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    if (splits_wished_ && !std::exchange(any_joined_, true)) PENSTOCK_RETURN_NOT_OK(ListJoined());
    std::vector<Split> splits;
    while (static_cast<int64_t>(splits.size()) < count_max && rows_listed_ < rows_max_) {
      if (pending_.empty()) {
        PENSTOCK_TRY(const bool listed, ListNextFile());
        if (!listed) break;
        continue;
      }
      any_listed_ = true;
      rows_listed_ += pending_.front().rows;
      splits.push_back(std::move(pending_.front()));
      pending_.pop_front();
    }
    if (splits.empty() && count_max > 0 && !std::exchange(any_listed_, true)) {
      PENSTOCK_TRY(const ChosenFiles chosen, Choice());
      splits.push_back(EmptySplit(chosen.schema.front()));  // The schema still matters.
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    if (!splits_wished_ || split.rows == 0) {
      return OpenRange({.file = split.item,
                        .begin = static_cast<int>(split.begin),
                        .end = static_cast<int>(split.end),
                        .rows = split.rows,
                        .bytes = split.bytes},
                       split.name);
    }
    std::vector<OpenPart> parts;
    for (int64_t range = split.begin; range < split.end; ++range) {
      parts.push_back([this, range] {
        const RowGroupRange& groups = ranges_[static_cast<size_t>(range)];
        return OpenRange(groups, GroupName(groups));
      });
    }
    return MakeJoinedReader(std::move(parts), rows_max_, limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override {
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    return choice.output_schema();
  }

  Result<std::optional<int64_t>> CountRows() override {
    if (!counts_all_) return std::nullopt;
    int64_t rows = 0;
    for (int64_t file = 0; file < static_cast<int64_t>(files_.size()); ++file) {
      PENSTOCK_TRY(const FooterPointer footer, footers_.Get(file));
      rows += footer->metadata->num_rows();
    }
    return rows;
  }

  Result<std::vector<std::string>> Files() override {
    std::vector<std::string> paths;
    for (const InputFile& file : files_) paths.push_back(file.path);
    return paths;
  }

 private:
  Result<ColumnChoice> Choose() {
    PENSTOCK_TRY(const auto schema, UnifiedSchema());
    auto choice = ChooseFrom(*schema);
    if (!choice.status().IsKeyError()) return choice;
    PENSTOCK_TRY(const auto whole, SchemaOf(AllFiles(), /*columns=*/std::nullopt));
    choice = ChooseFrom(*whole);  // It may be there; else all columns must be named.
    if (!choice.ok()) return choice;
    MutexLock lock(mutex_);
    schema_ = whole;
    return choice;
  }

  Result<ColumnChoice> ChooseFrom(const arrow::Schema& schema) const {
    return ColumnChoice::Make(schema, columns_, file_columns_, files_.front().path);
  }

  Result<std::shared_ptr<arrow::Schema>> UnifiedSchema() {
    MutexLock lock(mutex_);
    if (schema_ != nullptr) return schema_;
    chosen_ = ChooseFiles();
    PENSTOCK_TRY(auto schema, SchemaOf(chosen_.schema, columns_));
    const auto is_column = [&schema](const std::string& name) {
      return schema->GetFieldIndex(name) >= 0;
    };
    if (std::ranges::any_of(filter_.file_columns(), is_column)) {
      chosen_ = {.schema = AllFiles(), .rows = AllFiles()};
      PENSTOCK_TRY(schema, SchemaOf(chosen_.schema, columns_));
    }
    schema_ = std::move(schema);
    return schema_;
  }

  Result<std::shared_ptr<arrow::Schema>> SchemaOf(
      const std::vector<int64_t>& files, const std::optional<std::vector<std::string>>& columns) {
    if (made_columns_.declared() != nullptr) return made_columns_.Of(DeclaredInFiles());
    PENSTOCK_TRY(const auto found, footers_.UnifySchemas(columns, files));
    return made_columns_.Of(found);
  }

  /// The declared columns without those that the paths tell.
  std::shared_ptr<arrow::Schema> DeclaredInFiles() const {
    arrow::FieldVector fields;
    for (const auto& field : made_columns_.declared()->fields()) {
      if (file_columns_.schema()->GetFieldIndex(field->name()) < 0) fields.push_back(field);
    }
    return arrow::schema(std::move(fields));
  }

  ChosenFiles ChooseFiles() const {
    ChosenFiles chosen;
    for (const int64_t file : AllFiles()) {
      if (filter_.MayMatch(files_[static_cast<size_t>(file)], file_columns_)) {
        chosen.rows.push_back(file);
      }
    }
    chosen.schema = chosen.rows.empty() ? std::vector<int64_t>{0} : chosen.rows;
    return chosen;
  }

  std::vector<int64_t> AllFiles() const {
    std::vector<int64_t> all(files_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
    return all;
  }

  Result<ChosenFiles> Choice() {
    PENSTOCK_RETURN_NOT_OK(UnifiedSchema().status());
    MutexLock lock(mutex_);
    return chosen_;
  }

  Result<std::unique_ptr<SplitReader>> OpenRange(const RowGroupRange& range,
                                                 const std::string& name) {
    const InputFile& file = files_[static_cast<size_t>(range.file)];
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    PENSTOCK_TRY(auto file_values, file_columns_.ValuesOf(file));
    PENSTOCK_TRY(const FooterPointer footer, footers_.Get(range.file));
    return OpenRowGroups(file, footer, range, choice, made_columns_, std::move(file_values), name,
                         rows_max_, limits_.block_bytes);
  }

  /// Returns false when no file is left.
  Result<bool> ListNextFile() {
    if (splits_wished_) return false;
    if (!chosen_rows_) {
      PENSTOCK_TRY(ChosenFiles chosen, Choice());
      chosen_rows_ = std::move(chosen.rows);
    }
    if (next_file_ == chosen_rows_->size()) return false;
    PENSTOCK_TRY(const auto ranges, RowGroupsOf((*chosen_rows_)[next_file_++]));
    for (const RowGroupRange& range : ranges) {
      pending_.push_back({.name = GroupName(range),
                          .rows = range.rows,
                          .bytes = range.bytes,
                          .item = range.file,
                          .begin = range.begin,
                          .end = range.end});
    }
    return true;
  }

  /// Lists the row groups of a file that the filter does not rule out.
  Result<std::vector<RowGroupRange>> RowGroupsOf(int64_t file) {
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    PENSTOCK_TRY(const FooterPointer footer, footers_.Get(file));
    const std::vector<int> leaves = LeavesOf(*footer, choice, made_columns_);
    const auto filter = filter_.For(*footer, files_[static_cast<size_t>(file)], file_columns_,
                                    made_columns_.ChangedIn(*footer->schema));
    std::vector<RowGroupRange> ranges;
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    for (int group = 0; group < footer->metadata->num_row_groups(); ++group) {
      bool may_match = true;
      for (size_t part = 0; may_match && part < filter.size(); ++part) {
        PENSTOCK_TRY(may_match, RowGroupMayMatch(*footer, group, filter[part]));
      }
      if (!may_match) continue;
      ranges.push_back({.file = file,
                        .begin = group,
                        .end = group + 1,
                        .rows = footer->metadata->RowGroup(group)->num_rows(),
                        .bytes = RowGroupBytes(*footer, group, leaves)});
    }
    END_PARQUET_CATCH_EXCEPTIONS
    return ranges;
  }

  /// Lists all row groups, and as splits so many runs of them as are wished for.
  Status ListJoined() {
    PENSTOCK_TRY(const ChosenFiles chosen, Choice());
    int64_t rows = 0;
    for (size_t i = 0; i < chosen.rows.size() && rows < rows_max_; ++i) {
      PENSTOCK_TRY(const auto ranges, RowGroupsOf(chosen.rows[i]));
      for (const RowGroupRange& range : ranges) {
        if (rows >= rows_max_) break;
        rows += range.rows;
        ranges_.push_back(range);
      }
    }
    std::vector<int64_t> bytes;
    for (const RowGroupRange& range : ranges_) bytes.push_back(range.bytes);
    const std::vector<int64_t> borders = RunBorders(bytes, *splits_wished_);
    for (size_t run = 0; !ranges_.empty() && run + 1 < borders.size(); ++run) {
      pending_.push_back(JoinedSplit(borders[run], borders[run + 1]));
    }
    return Status::OK();
  }

  Split JoinedSplit(int64_t begin, int64_t end) const {
    const RowGroupRange& first = ranges_[static_cast<size_t>(begin)];
    const RowGroupRange& last = ranges_[static_cast<size_t>(end - 1)];
    Split split{.name = GroupName(first), .rows = 0, .bytes = 0, .begin = begin, .end = end};
    if (end - begin > 1) split.name += " to " + GroupName(last);
    for (int64_t range = begin; range < end; ++range) {
      split.rows += ranges_[static_cast<size_t>(range)].rows;
      split.bytes += ranges_[static_cast<size_t>(range)].bytes;
    }
    return split;
  }

  std::string GroupName(const RowGroupRange& range) const {
    return fmt::format("{}, row group {}", files_[static_cast<size_t>(range.file)].path,
                       range.begin);
  }

  Split EmptySplit(int64_t file) const {
    return {.name = files_[static_cast<size_t>(file)].path, .rows = 0, .bytes = 0, .item = file};
  }

  const std::vector<InputFile> files_;
  ParquetFooters footers_;  // Guards itself.
  const FileColumns file_columns_;
  const ParquetColumns made_columns_;
  const std::optional<std::vector<std::string>> columns_;
  const ParquetFilter filter_;
  const int64_t rows_max_;
  const bool counts_all_;
  const std::optional<int64_t> splits_wished_;
  const ReadLimits limits_;

  ChunkGrouper chunks_;  // This and what follows: NextSplits' alone.
  std::deque<Split> pending_;
  std::optional<std::vector<int64_t>> chosen_rows_;
  size_t next_file_ = 0;
  int64_t rows_listed_ = 0;
  bool any_listed_ = false;
  bool any_joined_ = false;
  std::vector<RowGroupRange>
      ranges_;  // Where splits are wished: set before the first is given out.

  Mutex mutex_;
  ChosenFiles chosen_ PENSTOCK_GUARDED_BY(mutex_);
  std::shared_ptr<arrow::Schema> schema_
      PENSTOCK_GUARDED_BY(mutex_);  // Null until it was asked for.
};

}  // namespace

Result<std::unique_ptr<Source>> MakeParquetSource(const ReadOp& read, const ReadLimits& limits,
                                                  int /*parallelism*/) {
  OptionReader options("reader parquet", read.options);
  PENSTOCK_TRY(auto set, ListFileSet(options, read, {"parquet"}));
  PENSTOCK_TRY(auto columns, ParquetColumns::Make(options));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  if (columns.declared() != nullptr) set.columns.TakeTypes(*columns.declared());
  // Together they do not say which comes first: then neither may spare rows.
  PENSTOCK_TRY(auto filter,
               ParquetFilter::Make(read.row_limit ? std::nullopt : read.filter, set.columns));
  return std::make_unique<ParquetSource>(std::move(set), std::move(columns), std::move(filter),
                                         read, limits);
}

}  // namespace penstock
