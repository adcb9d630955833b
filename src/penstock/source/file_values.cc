#include "penstock/source/file_values.h"

#include <arrow/builder.h>

namespace penstock {

FileValues::FileValues(FileColumns columns) : columns_(std::move(columns)) {
  builders_.resize(columns_.schema()->fields().size());
}

Status FileValues::Add(const InputFile& file, int64_t rows) {
  PENSTOCK_TRY(const arrow::ScalarVector values, columns_.ValuesOf(file));
  for (size_t i = 0; i < values.size(); ++i) {
    if (builders_[i] == nullptr) {
      PENSTOCK_TRY(builders_[i], arrow::MakeBuilder(values[i]->type));
    }
    PENSTOCK_RETURN_NOT_OK(builders_[i]->AppendScalar(*values[i], rows));
  }
  return Status::OK();
}

Result<arrow::ArrayVector> FileValues::Take() {
  arrow::ArrayVector columns;
  for (const auto& builder : builders_) {
    PENSTOCK_TRY(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace penstock
