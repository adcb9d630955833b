#include "penstock/source/tfrecord_columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr size_t kColumnsMax = 50'000;
constexpr int64_t kWholeFloatMax = int64_t{1} << 53;  // Further on, not every integer is a float.

Status Mismatch(std::string message) {
  return MakeError(ErrorKind::kSchemaMismatch, std::move(message));
}

/// Returns what kind of feature a column's values come from.
FeatureKind KindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return KindOf(*type.field(0)->type());
    case arrow::Type::BINARY:
      return FeatureKind::kBytes;
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return FeatureKind::kFloats;
    case arrow::Type::INT64:
      return FeatureKind::kIntegers;
    default:
      return FeatureKind::kNone;
  }
}

bool IsDouble(const arrow::DataType& type) {
  return type.id() == arrow::Type::DOUBLE ||
         (type.id() == arrow::Type::LIST && IsDouble(*type.field(0)->type()));
}

/// Goes through the cells of a column in the order of rows, and appends values or nulls.
template <typename AppendRow, typename AppendNulls>
Status ForEachRow(int64_t rows, const auto& cells, AppendRow append, AppendNulls append_nulls) {
  int64_t next = 0;
  for (const auto& cell : cells) {
    if (cell.shape.kind == FeatureKind::kNone) continue;
    PENSTOCK_RETURN_NOT_OK(append_nulls(cell.row - next));
    PENSTOCK_RETURN_NOT_OK(append(cell.shape));
    next = cell.row + 1;
  }
  return append_nulls(rows - next);
}

/// Takes values one after the other as an Arrow builder wants them.
class TextCursor {
 public:
  using Builder = arrow::BinaryBuilder;
  explicit TextCursor(const FeatureValues& values) : next_(values.texts.data()) {}
  Status Append(const FeatureShape& shape, Builder& builder) {
    for (int64_t i = 0; i < shape.count; ++i) PENSTOCK_RETURN_NOT_OK(builder.Append(*next_++));
    return Status::OK();
  }

 private:
  const std::string_view* next_;
};

template <typename ArrowBuilder, auto kValues>
class ListCursor {
 public:
  using Builder = ArrowBuilder;
  explicit ListCursor(const FeatureValues& values) : next_((values.*kValues).data()) {}
  Status Append(const FeatureShape& shape, Builder& builder) {
    const auto* first = std::exchange(next_, next_ + shape.count);
    return builder.AppendValues(first, shape.count);
  }

 private:
  const typename Builder::value_type* next_;
};

using FloatCursor = ListCursor<arrow::FloatBuilder, &FeatureValues::floats>;
using IntegerCursor = ListCursor<arrow::Int64Builder, &FeatureValues::integers>;

/// Takes integers and floats, each from its own list, as 64-bit floats.
class NumberCursor {
 public:
  using Builder = arrow::DoubleBuilder;
  explicit NumberCursor(const FeatureValues& values)
      : next_float_(values.floats.data()), next_integer_(values.integers.data()) {}
  Status Append(const FeatureShape& shape, Builder& builder) {
    for (int64_t i = 0; i < shape.count; ++i) {
      if (shape.kind == FeatureKind::kFloats) {
        PENSTOCK_RETURN_NOT_OK(builder.Append(double{*next_float_++}));
        continue;
      }
      const int64_t integer = *next_integer_++;
      if (integer > kWholeFloatMax || integer < -kWholeFloatMax) {
        return Mismatch(
            fmt::format("it has integers and floats, and an integer that no float "
                        "holds; got: {}",
                        integer));
      }
      PENSTOCK_RETURN_NOT_OK(builder.Append(static_cast<double>(integer)));
    }
    return Status::OK();
  }

 private:
  const float* next_float_;
  const int64_t* next_integer_;
};

template <typename Cursor>
Result<std::shared_ptr<arrow::Array>> BuildArray(int64_t rows, const auto& column) {
  Cursor cursor(column.values);
  auto values = std::make_shared<typename Cursor::Builder>();
  if (!column.list) {
    PENSTOCK_RETURN_NOT_OK(ForEachRow(
        rows, column.cells, [&](const auto& shape) { return cursor.Append(shape, *values); },
        [&](int64_t nulls) { return values->AppendNulls(nulls); }));
    return values->Finish();
  }
  arrow::ListBuilder lists(arrow::default_memory_pool(), values);
  PENSTOCK_RETURN_NOT_OK(ForEachRow(
      rows, column.cells,
      [&](const auto& shape) {
        PENSTOCK_RETURN_NOT_OK(lists.Append());
        return cursor.Append(shape, *values);
      },
      [&](int64_t nulls) { return lists.AppendNulls(nulls); }));
  return lists.Finish();
}

}  // namespace

std::shared_ptr<arrow::DataType> FeatureType(FeatureKind kind, bool list) {
  std::shared_ptr<arrow::DataType> type = arrow::null();
  if (kind == FeatureKind::kBytes) type = arrow::binary();
  if (kind == FeatureKind::kFloats) type = arrow::float32();
  if (kind == FeatureKind::kIntegers) type = arrow::int64();
  return list ? arrow::list(type) : type;
}

Status TfrecordColumns::Add(std::string_view record) {
  features_.clear();
  PENSTOCK_RETURN_NOT_OK(ParseExample(record, &features_));
  next_place_ = 0;
  for (const Feature& feature : features_) {
    const Status added = AddFeature(feature);
    if (!added.ok()) {
      return added.WithMessage("feature \"", feature.name, "\": ", added.message());
    }
  }
  ++rows_;
  return Status::OK();
}

Status TfrecordColumns::AddFeature(const Feature& feature) {
  if (kinds_ != nullptr && !kinds_->contains(feature.name)) {
    return Mismatch("it is not in tf_schema; name it there, or leave tf_schema out");
  }
  PENSTOCK_TRY(Column * column, ColumnOf(feature.name));
  if (column == nullptr) return Status::OK();
  if (!column->cells.empty() && column->cells.back().row == rows_) {
    return Status::Invalid("the record has the feature twice");
  }
  PENSTOCK_TRY(const FeatureShape shape, ParseFeature(feature.message, &column->values));
  if (shape.kind == FeatureKind::kNone) {
    column->cells.push_back({rows_, shape});
    return Status::OK();
  }
  if (kinds_ != nullptr && kinds_->find(feature.name)->second != shape.kind) {
    return Mismatch(fmt::format("tf_schema says {}; got: {}",
                                NameOf(kinds_->find(feature.name)->second), NameOf(shape.kind)));
  }
  PENSTOCK_RETURN_NOT_OK(Settle(*column, shape));
  column->cells.push_back({rows_, shape});
  return Status::OK();
}

Status TfrecordColumns::Settle(Column& column, const FeatureShape& shape) {
  if (shape.count != 1 && column.wanted_one) {
    return Mismatch(fmt::format(
        "the first records have one value each, and this one another count; name its type in "
        "tf_schema, which makes every feature a list; got: {} values",
        shape.count));
  }
  column.list = column.list || shape.count != 1;
  if (column.kind == FeatureKind::kNone || column.kind == shape.kind) {
    column.kind = shape.kind;
    return Status::OK();
  }
  if (column.kind == FeatureKind::kBytes || shape.kind == FeatureKind::kBytes) {
    return Mismatch(
        fmt::format("it has {} values in other records, and here {} values; read such "
                    "files apart",
                    NameOf(column.kind), NameOf(shape.kind)));
  }
  column.mixed = true;
  return Status::OK();
}

Result<TfrecordColumns::Column*> TfrecordColumns::ColumnOf(std::string_view name) {
  if (next_place_ < columns_.size() && columns_[next_place_].name == name) {
    return &columns_[next_place_++];
  }
  if (only_wanted_ && wanted_->GetFieldIndex(std::string(name)) < 0) return nullptr;
  const auto [found, is_new] = places_.try_emplace(std::string(name), columns_.size());
  if (is_new) {
    if (columns_.size() == kColumnsMax) {
      return Status::Invalid("the records have more than ", kColumnsMax, " different features");
    }
    Column column{.name = std::string(name)};
    const auto field = wanted_ == nullptr ? nullptr : wanted_->GetFieldByName(column.name);
    if (field != nullptr && field->type()->id() != arrow::Type::NA) {
      column.list = field->type()->id() == arrow::Type::LIST;
      column.wanted_one = !column.list;
      column.kind = KindOf(*field->type());
      column.mixed = IsDouble(*field->type());
    }
    columns_.push_back(std::move(column));
  }
  next_place_ = found->second + 1;
  return &columns_[found->second];
}

Result<std::shared_ptr<arrow::RecordBatch>> TfrecordColumns::Finish() {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns_) {
    auto array = ArrayOf(column);
    if (!array.ok()) {
      return array.status().WithMessage("feature \"", column.name,
                                        "\": ", array.status().message());
    }
    fields.push_back(arrow::field(column.name, (*array)->type()));
    arrays.push_back(array.MoveValueUnsafe());
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows_, std::move(arrays));
}

Result<std::shared_ptr<arrow::Array>> TfrecordColumns::ArrayOf(const Column& column) const {
  if (column.mixed) return BuildArray<NumberCursor>(rows_, column);
  switch (column.kind) {
    case FeatureKind::kBytes:
      return BuildArray<TextCursor>(rows_, column);
    case FeatureKind::kFloats:
      return BuildArray<FloatCursor>(rows_, column);
    case FeatureKind::kIntegers:
      return BuildArray<IntegerCursor>(rows_, column);
    case FeatureKind::kNone:
      break;
  }
  return arrow::MakeArrayOfNull(FeatureType(column.kind, column.list), rows_);
}

}  // namespace penstock
