#include "penstock/exec/dead_letters.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

namespace penstock {
namespace {

constexpr int64_t kHeldBytesMax = int64_t{32} << 20;

int64_t BytesOf(const DeadLetter& letter) {
  const RowFailure& failure = letter.failure;
  return static_cast<int64_t>(sizeof(DeadLetter) + failure.message.size() +
                              failure.traceback.size() + letter.source.size()) +
         BlockBytes(*letter.row.batch);
}

bool ComesBefore(const DeadLetter& left, const DeadLetter& right) {
  const auto place = [](const DeadLetter& letter) {
    const std::vector<RowRange>& ranges = letter.row.lineage.ranges();
    const RowRange from = ranges.empty() ? RowRange{} : ranges.front();
    return std::tuple(letter.chunk, letter.stage, from.split, from.first_row);
  };
  return place(left) < place(right);
}

/// The columns of the dead-letter table: what failed, why, where it came from, and the row.
class TableBuilder {
 public:
  Status Add(const DeadLetter& letter) {
    const RowFailure& failure = letter.failure;
    PENSTOCK_RETURN_NOT_OK(stage_.Append(letter.stage_name));
    PENSTOCK_RETURN_NOT_OK(stage_index_.Append(letter.stage));
    PENSTOCK_RETURN_NOT_OK(function_.Append(failure.function));
    PENSTOCK_RETURN_NOT_OK(cause_.Append(failure.cause));
    PENSTOCK_RETURN_NOT_OK(exception_.Append(failure.exception));
    PENSTOCK_RETURN_NOT_OK(message_.Append(failure.message));
    PENSTOCK_RETURN_NOT_OK(traceback_.Append(failure.traceback));
    PENSTOCK_RETURN_NOT_OK(attempts_.Append(letter.attempts));
    PENSTOCK_RETURN_NOT_OK(source_.Append(letter.source));
    PENSTOCK_RETURN_NOT_OK(letter.source_row ? source_row_.Append(*letter.source_row)
                                             : source_row_.AppendNull());
    PENSTOCK_TRY(auto row, letter.row.batch->ToStructArray());
    rows_.push_back(std::move(row));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish() {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    const auto add = [&](const char* name, arrow::ArrayBuilder& builder) {
      PENSTOCK_TRY(columns.emplace_back(), builder.Finish());
      fields.push_back(arrow::field(name, columns.back()->type()));
      return Status::OK();
    };
    PENSTOCK_RETURN_NOT_OK(add("stage", stage_));
    PENSTOCK_RETURN_NOT_OK(add("stage_index", stage_index_));
    PENSTOCK_RETURN_NOT_OK(add("function", function_));
    PENSTOCK_RETURN_NOT_OK(add("cause", cause_));
    PENSTOCK_RETURN_NOT_OK(add("exception", exception_));
    PENSTOCK_RETURN_NOT_OK(add("message", message_));
    PENSTOCK_RETURN_NOT_OK(add("traceback", traceback_));
    PENSTOCK_RETURN_NOT_OK(add("attempts", attempts_));
    PENSTOCK_RETURN_NOT_OK(add("source", source_));
    PENSTOCK_RETURN_NOT_OK(add("source_row", source_row_));
    if (rows_.front()->num_fields() > 0) {  // Parquet has no structs without fields.
      PENSTOCK_TRY(columns.emplace_back(), arrow::Concatenate(rows_));
      fields.push_back(arrow::field("row", columns.back()->type()));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)),
                                    static_cast<int64_t>(rows_.size()), std::move(columns));
  }

 private:
  arrow::StringBuilder stage_;
  arrow::Int32Builder stage_index_;
  arrow::StringBuilder function_;
  arrow::StringBuilder cause_;
  arrow::StringBuilder exception_;
  arrow::StringBuilder message_;
  arrow::StringBuilder traceback_;
  arrow::Int32Builder attempts_;
  arrow::StringBuilder source_;
  arrow::Int64Builder source_row_;
  arrow::ArrayVector rows_;
};

/// Returns the letters as a table; all are of one stage, and of one schema.
Result<std::shared_ptr<arrow::RecordBatch>> TableOf(std::span<const DeadLetter> letters) {
  TableBuilder builder;
  for (const DeadLetter& letter : letters) PENSTOCK_RETURN_NOT_OK(builder.Add(letter));
  return builder.Finish();
}

}  // namespace

bool DeadLetters::Add(DeadLetter letter) {
  MutexLock lock(mutex_);
  bytes_ += BytesOf(letter);
  letters_.push_back(std::move(letter));
  if (spills_ || bytes_ <= kHeldBytesMax) return false;
  spills_ = true;
  return true;
}

Status DeadLetters::Spill() {
  MutexLock lock(files_mutex_);
  return WriteFiles(Take(std::nullopt));
}

Result<std::vector<PartFile>> DeadLetters::Write(const std::vector<int64_t>& chunks) {
  MutexLock lock(files_mutex_);
  Chunks wanted;
  if (by_chunk_) wanted.emplace(chunks.begin(), chunks.end());
  PENSTOCK_RETURN_NOT_OK(WriteFiles(Take(wanted)));
  std::vector<PartFile> written;
  std::erase_if(files_, [&](const auto& file) {
    if (wanted && !wanted->contains(file.first)) return false;
    written.push_back(file.second);
    return true;
  });
  return written;
}

std::vector<DeadLetter> DeadLetters::Take(const Chunks& chunks) {
  MutexLock lock(mutex_);
  std::vector<DeadLetter> taken;
  std::vector<DeadLetter> kept;
  bytes_ = 0;
  for (DeadLetter& letter : letters_) {
    const bool is_wanted = !chunks || chunks->contains(letter.chunk);
    if (!is_wanted) bytes_ += BytesOf(letter);
    (is_wanted ? taken : kept).push_back(std::move(letter));
  }
  letters_ = std::move(kept);
  spills_ = false;
  return taken;
}

/// Returns how many letters from `first` on go into one file.
size_t DeadLetters::AlikeFrom(const std::vector<DeadLetter>& letters, size_t first) const {
  const DeadLetter& one = letters[first];
  size_t last = first + 1;
  while (last < letters.size() && letters[last].stage == one.stage &&
         (!by_chunk_ || letters[last].chunk == one.chunk) &&
         letters[last].row.batch->schema()->Equals(*one.row.batch->schema())) {
    ++last;
  }
  return last - first;
}

Status DeadLetters::WriteFiles(std::vector<DeadLetter> letters) {
  std::ranges::stable_sort(letters, ComesBefore);
  for (size_t first = 0; first < letters.size();) {
    const size_t count = AlikeFrom(letters, first);
    PENSTOCK_TRY(auto batch, TableOf(std::span(letters).subspan(first, count)));
    const int64_t chunk = by_chunk_ ? letters[first].chunk : 0;
    const std::string label = fmt::format("stage{}_{:06}", letters[first].stage, chunk);
    const int further = files_begun_[label]++;
    PENSTOCK_TRY(
        const std::unique_ptr<PartWriter> file,
        sink_.OpenDeadLetters(further == 0 ? label : fmt::format("{}_{}", label, further)));
    PENSTOCK_RETURN_NOT_OK(file->Write(Block{.batch = std::move(batch)}));
    PENSTOCK_TRY(const std::vector<PartFile> closed, file->Close());
    for (const PartFile& one : closed) files_.emplace_back(chunk, one);
    first += count;
  }
  return Status::OK();
}

}  // namespace penstock
