#include "penstock/sink/partitions.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

namespace penstock {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr const char* kNullValue = "__HIVE_DEFAULT_PARTITION__";

bool StaysAsItIs(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || std::string_view("-_.~").find(byte) != std::string::npos;
}

std::string Escaped(std::string_view value) {
  std::string escaped;
  for (const char byte : value) {
    if (StaysAsItIs(byte)) {
      escaped += byte;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return escaped;
}

Status CheckName(const std::string& column) {
  const bool hidden = column.empty() || column.front() == '.' || column.front() == '_';
  if (!hidden && column.find_first_of(std::string_view("/=\0", 3)) == std::string::npos) {
    return Status::OK();
  }
  return Status::Invalid(
      "A column whose values name folders must not begin with \".\" or \"_\" nor hold \"/\" or "
      "\"=\", so that readers find them; rename it; got: '",
      column, "'");
}

Result<std::shared_ptr<arrow::StringArray>> TextOf(const std::shared_ptr<arrow::Array>& values,
                                                   const std::string& column) {
  auto text = arrow::compute::Cast(*values, arrow::utf8());
  if (!text.ok()) {
    return Status::Invalid("Folders cannot be named by column '", column,
                           "': ", text.status().message(), "; got: ", values->type()->ToString());
  }
  return std::static_pointer_cast<arrow::StringArray>(*text);
}

/// Returns each row's subfolder.
Result<std::vector<std::string>> SubfoldersOf(const arrow::RecordBatch& batch,
                                              const std::vector<std::string>& columns) {
  std::vector<std::string> subfolders(static_cast<size_t>(batch.num_rows()));
  for (const std::string& column : columns) {
    PENSTOCK_RETURN_NOT_OK(CheckName(column));
    const auto values = batch.GetColumnByName(column);
    if (values == nullptr) {
      return Status::Invalid("There is no column to name folders by; the columns are ",
                             batch.schema()->ToString(), "; got: '", column, "'");
    }
    PENSTOCK_TRY(const auto text, TextOf(values, column));
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const std::string value = text->IsNull(row) ? kNullValue : Escaped(text->GetView(row));
      const std::string name = fmt::format("{}={}", column, value);
      if (name.size() > kNameBytesMax) {
        return Status::Invalid("A value of column '", column, "' is too long to name a folder (",
                               name.size(), " bytes, at most ", kNameBytesMax, "): ", name);
      }
      subfolders[static_cast<size_t>(row)] += name + "/";
    }
  }
  return subfolders;
}

Result<std::shared_ptr<arrow::RecordBatch>> Without(std::shared_ptr<arrow::RecordBatch> batch,
                                                    const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    PENSTOCK_TRY(batch, batch->RemoveColumn(batch->schema()->GetFieldIndex(column)));
  }
  if (batch->num_columns() > 0) return batch;
  return Status::Invalid(
      "All columns name folders, so that no file would hold any; keep or add another one");
}

}  // namespace

Result<Partition> EmptyPartition(const std::shared_ptr<arrow::RecordBatch>& batch,
                                 const std::vector<std::string>& columns) {
  PENSTOCK_RETURN_NOT_OK(SubfoldersOf(*batch, columns).status());
  Partition partition;
  for (const std::string& column : columns) {
    partition.subfolder += fmt::format("{}={}/", column, kNullValue);
  }
  PENSTOCK_TRY(partition.batch, Without(batch, columns));
  return partition;
}

Result<std::vector<Partition>> PartByColumns(const std::shared_ptr<arrow::RecordBatch>& batch,
                                             const std::vector<std::string>& columns) {
  PENSTOCK_TRY(const auto subfolders, SubfoldersOf(*batch, columns));
  PENSTOCK_TRY(const auto rest, Without(batch, columns));
  std::vector<Partition> partitions;
  std::vector<arrow::Int64Builder> rows;
  std::unordered_map<std::string_view, size_t> places;
  for (size_t row = 0; row < subfolders.size(); ++row) {
    const auto [found, is_new] = places.try_emplace(subfolders[row], partitions.size());
    if (is_new) {
      partitions.push_back({.subfolder = subfolders[row], .batch = nullptr});
      rows.emplace_back();
    }
    PENSTOCK_RETURN_NOT_OK(rows[found->second].Append(static_cast<int64_t>(row)));
  }
  if (partitions.size() == 1) partitions.front().batch = rest;
  for (size_t i = 0; partitions.size() > 1 && i < partitions.size(); ++i) {
    PENSTOCK_TRY(const auto chosen, rows[i].Finish());
    PENSTOCK_TRY(const arrow::Datum taken, arrow::compute::Take(rest, chosen));
    partitions[i].batch = taken.record_batch();
  }
  return partitions;
}

}  // namespace penstock
