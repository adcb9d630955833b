#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/tfrecord_example.h"

namespace penstock {

/// The kinds that a schema of the user's names, by feature.
using FeatureKinds = std::map<std::string, FeatureKind, std::less<>>;

/// The column of features of one kind; null where the kind is none.
std::shared_ptr<arrow::DataType> FeatureType(FeatureKind kind, bool list);

/// Collects records as columns: one a feature, in the order in which they come first.
///
/// A feature that has exactly one value in each record is a column of values, else one of lists. A
/// feature that a record lacks, or that has no list of values, is null. Integers and floats of one
/// feature become 64-bit floats. One thread.
class TfrecordColumns {
 public:
  /// `wanted` (may be null) are columns that are expected: where one is a list, so is what is made.
  /// With `only_wanted` other features are passed over. With `kinds`, exactly these are allowed.
  TfrecordColumns(const arrow::Schema* wanted, bool only_wanted, const FeatureKinds* kinds)
      : wanted_(wanted), only_wanted_(only_wanted), kinds_(kinds) {}

  /// Appends a record, which is borrowed until Finish. Invalid where it is no tf.train.Example,
  /// kSchemaMismatch where a feature's values go with no column; neither names the file.
  Status Add(std::string_view record);

  /// Returns all that was added; the object is used up. Invalid for an integer that is no float.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  struct Cell {
    int64_t row;
    FeatureShape shape;
  };
  struct Column {
    std::string name;
    std::vector<Cell> cells;
    FeatureValues values;
    bool wanted_one = false;  // A value a row is expected: no lists.
    bool list = false;
    FeatureKind kind = FeatureKind::kNone;
    bool mixed = false;  // Integers and floats.
  };

  Result<Column*> ColumnOf(std::string_view name);
  Status AddFeature(const Feature& feature);
  static Status Settle(Column& column, const FeatureShape& shape);
  Result<std::shared_ptr<arrow::Array>> ArrayOf(const Column& column) const;

  const arrow::Schema* const wanted_;
  const bool only_wanted_;
  const FeatureKinds* const kinds_;
  std::vector<Column> columns_;
  std::unordered_map<std::string, size_t> places_;
  size_t next_place_ = 0;  // Records mostly have the same features in the same order.
  int64_t rows_ = 0;
  std::vector<Feature> features_;
};

}  // namespace penstock
