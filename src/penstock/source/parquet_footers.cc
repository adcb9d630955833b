#include "penstock/source/parquet_footers.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "penstock/block/unify.h"

namespace penstock {
namespace {

constexpr int64_t kKeptBytesMax = int64_t{32} << 20;
constexpr size_t kReadAtOnce = 16;  // Most of the time goes into waiting for a file system.

std::shared_ptr<arrow::Schema> Chosen(const std::shared_ptr<arrow::Schema>& schema,
                                      const std::optional<std::vector<std::string>>& columns) {
  if (!columns) return schema;
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    if (std::ranges::find(*columns, field->name()) != columns->end()) fields.push_back(field);
  }
  return arrow::schema(std::move(fields));
}

int64_t BytesOf(const ParquetFooter& footer) { return footer.metadata->size(); }

}  // namespace

Result<FooterPointer> ParquetFooters::Get(int64_t file) {
  {
    MutexLock lock(mutex_);
    const auto found = kept_.find(file);
    if (found != kept_.end()) return found->second;
  }
  PENSTOCK_TRY(auto footer, ReadParquetFooter(files_[static_cast<size_t>(file)]));
  MutexLock lock(mutex_);
  if (!kept_.emplace(file, footer).second) return footer;
  order_.push_back(file);
  kept_bytes_ += BytesOf(*footer);
  while (kept_bytes_ > kKeptBytesMax && order_.size() > 1) {
    kept_bytes_ -= BytesOf(*kept_.at(order_.front()));
    kept_.erase(order_.front());
    order_.pop_front();
  }
  return footer;
}

Result<std::shared_ptr<arrow::Schema>> ParquetFooters::UnifySchemas(
    const ColumnNames& columns, const std::vector<int64_t>& files) {
  PENSTOCK_TRY(const FooterPointer first, Get(files.front()));
  std::shared_ptr<arrow::Schema> schema = first->schema;
  std::vector<Result<std::shared_ptr<arrow::Schema>>> read = ReadSchemas(first->schema, files);
  for (size_t i = 1; i < read.size(); ++i) {
    PENSTOCK_TRY(const auto whole, std::move(read[i]));
    const auto found = Chosen(whole, columns);
    auto unified = penstock::UnifySchemas(schema, found);
    if (!unified.ok()) {
      PENSTOCK_TRY(const int64_t other, FindOther(found, files));
      return unified.status().WithMessage(
          files_[static_cast<size_t>(other)].path, " and ",
          files_[static_cast<size_t>(files[i])].path,
          " cannot be read together; read them apart, or convert one: ",
          unified.status().message());
    }
    schema = unified.MoveValueUnsafe();
  }
  return schema;
}

std::vector<Result<std::shared_ptr<arrow::Schema>>> ParquetFooters::ReadSchemas(
    const std::shared_ptr<arrow::Schema>& first, const std::vector<int64_t>& files) {
  std::vector<Result<std::shared_ptr<arrow::Schema>>> schemas(files.size(), first);
  std::atomic<size_t> next = 1;
  std::atomic<bool> failed = false;
  const auto read_on = [&] {
    while (!failed) {  // What was begun is ended, so that the first that fails is known.
      const size_t file = next++;
      if (file >= files.size()) return;
      const Result<FooterPointer> footer = Get(files[file]);
      if (!footer.ok()) {
        schemas[file] = footer.status();
        failed = true;
      } else if (!(*footer)->schema->Equals(*first, /*check_metadata=*/false)) {
        schemas[file] = (*footer)->schema;
      }
    }
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < std::min(kReadAtOnce, files.size() - 1); ++i)
    threads.emplace_back(read_on);
  read_on();
  threads.clear();
  return schemas;
}

Result<int64_t> ParquetFooters::FindOther(const std::shared_ptr<arrow::Schema>& schema,
                                          const std::vector<int64_t>& files) {
  for (const int64_t file : files) {
    PENSTOCK_TRY(const FooterPointer footer, Get(file));
    if (!penstock::UnifySchemas(footer->schema, schema).ok()) return file;
  }
  return files.front();
}

}  // namespace penstock
