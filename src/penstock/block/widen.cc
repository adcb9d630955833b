#include "penstock/block/widen.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "penstock/block/join.h"

namespace penstock {
namespace {

using arrow::Type;
using TypePointer = std::shared_ptr<arrow::DataType>;
using Ranges = std::vector<ArrayRange>;

template <typename Offset>
ArrayRange ValuesOf(const ArrayRange& range) {
  if (range.rows == 0) return {range.array, 0, 0};
  const Offset* offsets = range.array->GetValues<Offset>(1, range.first);
  return {range.array, offsets[0], offsets[range.rows] - offsets[0]};
}

int64_t RowsOf(const Ranges& ranges) {
  int64_t rows = 0;
  for (const ArrayRange& range : ranges) rows += range.rows;
  return rows;
}

Ranges AllValues(std::span<const ArrayRange> ranges, bool large) {
  Ranges values;
  for (const ArrayRange& range : ranges) {
    values.push_back(large ? ValuesOf<int64_t>(range) : ValuesOf<int32_t>(range));
  }
  return values;
}

/// Turns ranges that count a parent's values into ranges of its child.
Ranges OfChild(Ranges values, size_t index) {
  for (ArrayRange& range : values) {
    const arrow::ArrayData* child = range.array->child_data[index].get();
    range = {child, child->offset + range.first, range.rows};
  }
  return values;
}

TypePointer WideList(const TypePointer& type, std::span<const ArrayRange> ranges,
                     int64_t offset_max) {
  const bool large = type->id() == Type::LARGE_LIST;
  const Ranges values = AllValues(ranges, large);
  const auto& field = type->field(0);
  const TypePointer inner = WideType(field->type(), OfChild(values, 0), offset_max);
  if (!large && RowsOf(values) > offset_max) return arrow::large_list(field->WithType(inner));
  if (inner == field->type()) return type;
  return large ? arrow::large_list(field->WithType(inner)) : arrow::list(field->WithType(inner));
}

TypePointer WideFixedList(const TypePointer& type, std::span<const ArrayRange> ranges,
                          int64_t offset_max) {
  const auto size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
  Ranges values;
  for (const ArrayRange& range : ranges) {
    values.push_back({range.array, range.first * size, range.rows * size});
  }
  const auto& field = type->field(0);
  const TypePointer inner = WideType(field->type(), OfChild(std::move(values), 0), offset_max);
  return inner == field->type() ? type : arrow::fixed_size_list(field->WithType(inner), size);
}

TypePointer WideStruct(const TypePointer& type, std::span<const ArrayRange> ranges,
                       int64_t offset_max) {
  arrow::FieldVector fields = type->fields();
  bool changed = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Ranges own = OfChild(Ranges(ranges.begin(), ranges.end()), i);
    const TypePointer inner = WideType(fields[i]->type(), own, offset_max);
    changed = changed || inner != fields[i]->type();
    fields[i] = fields[i]->WithType(inner);
  }
  return changed ? arrow::struct_(std::move(fields)) : type;
}

}  // namespace

TypePointer WideType(const TypePointer& type, std::span<const ArrayRange> ranges,
                     int64_t offset_max) {
  switch (type->id()) {
    case Type::STRING:
      return RowsOf(AllValues(ranges, false)) > offset_max ? arrow::large_utf8() : type;
    case Type::BINARY:
      return RowsOf(AllValues(ranges, false)) > offset_max ? arrow::large_binary() : type;
    case Type::LIST:
    case Type::LARGE_LIST:
      return WideList(type, ranges, offset_max);
    case Type::FIXED_SIZE_LIST:
      return WideFixedList(type, ranges, offset_max);
    case Type::STRUCT:
      return WideStruct(type, ranges, offset_max);
    default:
      return type;
  }
}

Result<std::vector<Piece>> WidenPieces(std::span<const Piece> pieces, int64_t offset_max) {
  const std::shared_ptr<arrow::Schema>& schema = pieces.front().block.batch->schema();
  arrow::FieldVector fields = schema->fields();
  bool changed = false;
  for (size_t i = 0; pieces.size() > 1 && i < fields.size(); ++i) {
    Ranges ranges;
    for (const Piece& piece : pieces) {
      const arrow::ArrayData* column = piece.block.batch->column_data(static_cast<int>(i)).get();
      ranges.push_back({column, column->offset + piece.offset, piece.rows});
    }
    const TypePointer wide = WideType(fields[i]->type(), ranges, offset_max);
    changed = changed || wide != fields[i]->type();
    fields[i] = fields[i]->WithType(wide);
  }
  if (!changed) return std::vector<Piece>();
  return BringPieces(pieces, arrow::schema(std::move(fields), schema->metadata()));
}

}  // namespace penstock
