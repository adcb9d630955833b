#include "penstock/plan/expression_lists.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/function.h>
#include <arrow/compute/kernel.h>
#include <arrow/record_batch.h>

#include <limits>
#include <string>
#include <utility>

namespace penstock {
namespace {

namespace compute = arrow::compute;
using ArrayPointer = std::shared_ptr<arrow::Array>;
using TypePointer = std::shared_ptr<arrow::DataType>;
using Types = std::vector<arrow::TypeHolder>;

/// Lists of any kind as ranges of their values; a null list is an empty range.
struct Lists {
  ArrayPointer values;
  std::vector<std::pair<int64_t, int64_t>> ranges;  // First and number.
};

template <typename ListArray>
Lists RangesOf(const arrow::Array& array) {
  const auto& lists = static_cast<const ListArray&>(array);
  Lists result{lists.values(), {}};
  result.ranges.reserve(static_cast<size_t>(lists.length()));
  for (int64_t i = 0; i < lists.length(); ++i) {
    const int64_t count = lists.IsNull(i) ? 0 : lists.value_length(i);
    result.ranges.emplace_back(lists.value_offset(i), count);
  }
  return result;
}

Result<Lists> ListsOf(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return RangesOf<arrow::ListArray>(array);
    case arrow::Type::LARGE_LIST:
      return RangesOf<arrow::LargeListArray>(array);
    case arrow::Type::FIXED_SIZE_LIST:
      return RangesOf<arrow::FixedSizeListArray>(array);
    default:
      return Status::TypeError("not a list: ", array.type()->ToString());
  }
}

TypePointer ValueType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::BaseListType&>(type).value_type();
    default:
      return nullptr;
  }
}

Result<ArrayPointer> ValuesAt(const arrow::Array& values, const Lists& lists) {
  arrow::Int64Builder positions;
  for (const auto& [first, count] : lists.ranges) {
    PENSTOCK_RETURN_NOT_OK(positions.Reserve(count));
    for (int64_t i = 0; i < count; ++i) positions.UnsafeAppend(first + i);
  }
  PENSTOCK_TRY(const ArrayPointer indices, positions.Finish());
  return compute::Take(values, *indices);
}

/// Returns which row each value lies in, in the order of ValuesAt.
Result<ArrayPointer> RowsOf(const Lists& lists) {
  arrow::Int64Builder rows;
  for (size_t row = 0; row < lists.ranges.size(); ++row) {
    const int64_t count = lists.ranges[row].second;
    PENSTOCK_RETURN_NOT_OK(rows.Reserve(count));
    for (int64_t i = 0; i < count; ++i) rows.UnsafeAppend(static_cast<int64_t>(row));
  }
  return rows.Finish();
}

Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array) {
  if (array.null_count() == 0) return nullptr;
  PENSTOCK_TRY(const arrow::Datum valid, compute::CallFunction("is_valid", {array.data()}));
  return valid.array()->buffers[1];
}

/// Makes lists of the values that lie one row's after the other's, null where `array` is.
Result<arrow::Datum> MakeLists(const arrow::Array& array, const Lists& lists, ArrayPointer values) {
  arrow::Int32Builder offsets;
  PENSTOCK_RETURN_NOT_OK(offsets.Reserve(array.length() + 1));
  int64_t end = 0;
  offsets.UnsafeAppend(0);
  for (const auto& range : lists.ranges) {
    end += range.second;
    if (end > std::numeric_limits<int32_t>::max()) {
      return Status::CapacityError("a block's lists hold more values than one list column can");
    }
    offsets.UnsafeAppend(static_cast<int32_t>(end));
  }
  PENSTOCK_TRY(const ArrayPointer made_offsets, offsets.Finish());
  PENSTOCK_TRY(auto validity, ValidityOf(array));
  const TypePointer type = arrow::list(values->type());
  return std::make_shared<arrow::ListArray>(type, array.length(), made_offsets->data()->buffers[1],
                                            std::move(values), std::move(validity));
}

std::string TextArgument(const compute::ExecValue& value) {
  if (value.is_scalar()) return value.scalar->ToString();
  const auto scalar = value.array.ToArray()->GetScalar(0);
  return scalar.ok() ? (*scalar)->ToString() : "";
}

Result<arrow::Datum> Sorted(const arrow::Array& array, const compute::ExecSpan& batch) {
  Lists lists;
  PENSTOCK_TRY(lists, ListsOf(array));
  const bool fixed = array.type_id() == arrow::Type::FIXED_SIZE_LIST;
  if (fixed) {  // Null lists have their places among the values too.
    const int32_t size = static_cast<const arrow::FixedSizeListType&>(*array.type()).list_size();
    for (auto& range : lists.ranges) range.second = size;
  }
  const auto order = TextArgument(batch[1]) == "descending" ? compute::SortOrder::Descending
                                                            : compute::SortOrder::Ascending;
  const auto nulls = TextArgument(batch[2]) == "at_start" ? compute::NullPlacement::AtStart
                                                          : compute::NullPlacement::AtEnd;
  PENSTOCK_TRY(const ArrayPointer values, ValuesAt(*lists.values, lists));
  PENSTOCK_TRY(const ArrayPointer rows, RowsOf(lists));
  const auto pairs = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("row", arrow::int64()), arrow::field("value", values->type())}),
      values->length(), {rows, values});
  const compute::SortOptions options({compute::SortKey("row"), compute::SortKey("value", order)},
                                     nulls);
  PENSTOCK_TRY(const ArrayPointer indices, compute::SortIndices(arrow::Datum(pairs), options));
  PENSTOCK_TRY(ArrayPointer sorted, compute::Take(*values, *indices));
  if (!fixed) return MakeLists(array, lists, std::move(sorted));
  PENSTOCK_TRY(auto validity, ValidityOf(array));
  return std::make_shared<arrow::FixedSizeListArray>(array.type(), array.length(),
                                                     std::move(sorted), std::move(validity));
}

Result<arrow::Datum> Flattened(const arrow::Array& array, const compute::ExecSpan&) {
  PENSTOCK_TRY(const Lists outer, ListsOf(array));
  PENSTOCK_TRY(const Lists inner, ListsOf(*outer.values));
  Lists kept{inner.values, {}};
  Lists rows{inner.values, {}};
  for (const auto& [first, count] : outer.ranges) {
    int64_t values = 0;
    for (int64_t i = first; i < first + count; ++i) {
      kept.ranges.push_back(inner.ranges[static_cast<size_t>(i)]);
      values += kept.ranges.back().second;
    }
    rows.ranges.emplace_back(0, values);
  }
  PENSTOCK_TRY(ArrayPointer values, ValuesAt(*inner.values, kept));
  return MakeLists(array, rows, std::move(values));
}

Result<arrow::Datum> Unfixed(const arrow::Array& array, const compute::ExecSpan&) {
  if (array.type_id() != arrow::Type::FIXED_SIZE_LIST) return array.data();
  PENSTOCK_TRY(const Lists lists, ListsOf(array));
  PENSTOCK_TRY(ArrayPointer values, ValuesAt(*lists.values, lists));
  return MakeLists(array, lists, std::move(values));
}

template <int kField>
Result<arrow::Datum> MapPart(const arrow::Array& array, const compute::ExecSpan&) {
  PENSTOCK_TRY(const Lists lists, ListsOf(array));
  const auto& pairs = static_cast<const arrow::StructArray&>(*lists.values);
  PENSTOCK_TRY(const ArrayPointer part, pairs.GetFlattenedField(kField));
  PENSTOCK_TRY(ArrayPointer values, ValuesAt(*part, lists));
  return MakeLists(array, lists, std::move(values));
}

template <typename Type>
Result<arrow::Datum> SumAs(const arrow::Array& array, const Lists& lists) {
  using Value = typename Type::c_type;
  const auto type = arrow::TypeTraits<Type>::type_singleton();
  PENSTOCK_TRY(const ArrayPointer values, compute::Cast(*lists.values, type));
  const auto& numbers = static_cast<const arrow::NumericArray<Type>&>(*values);
  arrow::NumericBuilder<Type> sums;
  PENSTOCK_RETURN_NOT_OK(sums.Reserve(array.length()));
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) {
      sums.UnsafeAppendNull();
      continue;
    }
    const auto [first, count] = lists.ranges[static_cast<size_t>(row)];
    // Whole numbers wrap around, as Arrow's sums do.
    std::conditional_t<std::is_integral_v<Value>, uint64_t, double> sum = 0;
    for (int64_t i = first; i < first + count; ++i) {
      if (numbers.IsValid(i)) sum += static_cast<decltype(sum)>(numbers.Value(i));
    }
    sums.UnsafeAppend(static_cast<Value>(sum));
  }
  PENSTOCK_TRY(const ArrayPointer made, sums.Finish());
  return made;
}

Result<arrow::TypeHolder> SumType(compute::KernelContext*, const Types& types) {
  const TypePointer value = ValueType(*types[0]);
  if (arrow::is_unsigned_integer(value->id())) return arrow::uint64();
  if (arrow::is_signed_integer(value->id())) return arrow::int64();
  if (arrow::is_floating(value->id())) return arrow::float64();
  return Status::Invalid("only lists of numbers have a sum, not ", types[0].ToString());
}

Result<arrow::Datum> Sum(const arrow::Array& array, const compute::ExecSpan&) {
  PENSTOCK_TRY(const Lists lists, ListsOf(array));
  if (arrow::is_floating(lists.values->type_id())) return SumAs<arrow::DoubleType>(array, lists);
  const bool is_unsigned = arrow::is_unsigned_integer(lists.values->type_id());
  return is_unsigned ? SumAs<arrow::UInt64Type>(array, lists)
                     : SumAs<arrow::Int64Type>(array, lists);
}

Result<arrow::TypeHolder> SortType(compute::KernelContext*, const Types& types) {
  if (types[0].id() == arrow::Type::FIXED_SIZE_LIST) return types[0];
  return arrow::list(ValueType(*types[0]));
}

Result<arrow::TypeHolder> FlattenType(compute::KernelContext*, const Types& types) {
  const TypePointer inner = ValueType(*ValueType(*types[0]));
  if (inner != nullptr) return arrow::list(inner);
  return Status::Invalid("only lists of lists can be flattened, not ", types[0].ToString());
}

Result<arrow::TypeHolder> UnfixedType(compute::KernelContext*, const Types& types) {
  if (types[0].id() != arrow::Type::FIXED_SIZE_LIST) return types[0];
  return arrow::list(ValueType(*types[0]));
}

template <int kField>
Result<arrow::TypeHolder> MapPartType(compute::KernelContext*, const Types& types) {
  const TypePointer pair = ValueType(*types[0]);
  if (pair->id() == arrow::Type::STRUCT && pair->num_fields() >= 2) {
    return arrow::list(pair->field(kField)->type());
  }
  return Status::Invalid("only maps and lists of structs have keys and values, not ",
                         types[0].ToString());
}

using Run = Result<arrow::Datum> (*)(const arrow::Array&, const compute::ExecSpan&);

template <Run kRun>
Status Execute(compute::KernelContext*, const compute::ExecSpan& batch, compute::ExecResult* out) {
  PENSTOCK_TRY(const arrow::Datum result, kRun(*batch[0].array.ToArray(), batch));
  out->value = result.array();
  return Status::OK();
}

Status Register(compute::FunctionRegistry& registry, const std::string& name, int arguments,
                compute::OutputType::Resolver type, compute::ArrayKernelExec execute) {
  // pyarrow.compute makes a Python function of each that is registered: names must differ.
  std::vector<std::string> names;
  for (int argument = 0; argument < arguments; ++argument) {
    names.push_back("argument_" + std::to_string(argument));
  }
  const compute::FunctionDoc doc("", "", std::move(names));
  auto function = std::make_shared<compute::ScalarFunction>(name, compute::Arity(arguments), doc);
  for (const auto id : {arrow::Type::LIST, arrow::Type::LARGE_LIST, arrow::Type::FIXED_SIZE_LIST,
                        arrow::Type::MAP}) {
    std::vector<compute::InputType> inputs(static_cast<size_t>(arguments), arrow::utf8());
    inputs[0] = compute::InputType(id);
    compute::ScalarKernel kernel(std::move(inputs), compute::OutputType(type), execute);
    kernel.null_handling = compute::NullHandling::COMPUTED_NO_PREALLOCATE;
    kernel.mem_allocation = compute::MemAllocation::NO_PREALLOCATE;
    PENSTOCK_RETURN_NOT_OK(function->AddKernel(std::move(kernel)));
  }
  return registry.AddFunction(std::move(function));
}

}  // namespace

Status RegisterListFunctions(compute::FunctionRegistry& registry) {
  PENSTOCK_RETURN_NOT_OK(Register(registry, "list_value_sum", 1, SumType, Execute<Sum>));
  PENSTOCK_RETURN_NOT_OK(Register(registry, "list_value_sort", 3, SortType, Execute<Sorted>));
  PENSTOCK_RETURN_NOT_OK(
      Register(registry, "list_value_flatten", 1, FlattenType, Execute<Flattened>));
  PENSTOCK_RETURN_NOT_OK(Register(registry, "list_from_fixed", 1, UnfixedType, Execute<Unfixed>));
  PENSTOCK_RETURN_NOT_OK(Register(registry, "map_keys", 1, MapPartType<0>, Execute<MapPart<0>>));
  return Register(registry, "map_values", 1, MapPartType<1>, Execute<MapPart<1>>);
}

}  // namespace penstock
