#include "penstock/source/webdataset_rows.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <utility>

namespace penstock {
namespace {

constexpr int64_t kRowBytes = 64;  // So that samples without data are not without number.

}  // namespace

std::shared_ptr<arrow::Schema> WebdatasetRows::EmptySchema() {
  return arrow::schema(
      {arrow::field(kSampleKey, arrow::utf8()), arrow::field(kSampleArchive, arrow::utf8())});
}

Status WebdatasetRows::Begin(std::string_view key) {
  bytes_ += static_cast<int64_t>(key.size()) + kRowBytes;
  return keys_.Append(key);
}

Status WebdatasetRows::Add(const std::string& suffix, std::string_view data) {
  const auto [found, is_new] = places_.try_emplace(suffix, columns_.size());
  if (is_new) {
    if (columns_.size() == kColumnsMax) {
      return Status::Invalid("the samples have files of more than ", kColumnsMax, " suffixes");
    }
    columns_.push_back({suffix, std::make_unique<arrow::BinaryBuilder>()});
  }
  arrow::BinaryBuilder& values = *columns_[found->second].values;
  PENSTOCK_RETURN_NOT_OK(values.AppendNulls(rows() - 1 - values.length()));
  bytes_ += static_cast<int64_t>(data.size());
  return values.Append(data);
}

Result<std::shared_ptr<arrow::RecordBatch>> WebdatasetRows::Finish(const std::string& archive) {
  const int64_t count = rows();
  arrow::FieldVector fields{arrow::field(kSampleKey, arrow::utf8())};
  arrow::ArrayVector arrays;
  PENSTOCK_TRY(arrays.emplace_back(), keys_.Finish());
  for (Column& column : columns_) {
    PENSTOCK_RETURN_NOT_OK(column.values->AppendNulls(count - column.values->length()));
    fields.push_back(arrow::field(column.suffix, arrow::binary()));
    PENSTOCK_TRY(arrays.emplace_back(), column.values->Finish());
  }
  fields.push_back(arrow::field(kSampleArchive, arrow::utf8()));
  PENSTOCK_TRY(arrays.emplace_back(),
               arrow::MakeArrayFromScalar(arrow::StringScalar(archive), count));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(arrays));
}

}  // namespace penstock
