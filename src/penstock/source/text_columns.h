#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// The columns that a file of text is parsed into: those that all files are expected to have, and
/// what this file shows beyond. One thread.
class TextColumns {
 public:
  /// `wanted` may be null: then the file alone decides. With `only_wanted`, others are left out.
  /// `origin` is the file that `wanted` was taken from, for errors.
  TextColumns(std::shared_ptr<arrow::Schema> wanted, bool only_wanted, std::string origin)
      : schema_(std::move(wanted)), only_wanted_(only_wanted), origin_(std::move(origin)) {}

  /// Null where nothing is expected.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  bool only_wanted() const { return only_wanted_; }
  const std::string& origin() const { return origin_; }

  /// Brings a batch to the schema, which grows where the batch needs it: wider types, and more
  /// columns at its end. kSchemaMismatch where no type holds both, or a name is there twice.
  Result<std::shared_ptr<arrow::RecordBatch>> Fit(std::shared_ptr<arrow::RecordBatch> batch);

 private:
  std::shared_ptr<arrow::Schema> schema_;  // Shared with the source and the batches.
  const bool only_wanted_;
  const std::string origin_;
};

/// Returns the columns of `schema` that `wanted` has too.
std::shared_ptr<arrow::Schema> OnlyColumnsOf(const arrow::Schema& schema,
                                             const arrow::Schema& wanted);

}  // namespace penstock
