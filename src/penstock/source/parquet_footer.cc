#include "penstock/source/parquet_footer.h"

#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/size_statistics.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "penstock/block/ray_tensor.h"
#include "penstock/memory/warm_pool.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kReadBufferBytes = int64_t{128} << 10;
constexpr int64_t kTextBytesGuess = 64;  // A value's, where only its dictionary's size is known.

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.column_index >= 0) leaves.push_back(field.column_index);
  for (const auto& child : field.children) CollectLeaves(child, leaves);
}

int64_t FixedValueBytes(const parquet::ColumnDescriptor& column) {
  switch (column.physical_type()) {
    case parquet::Type::BOOLEAN:
      return 1;
    case parquet::Type::INT32:
    case parquet::Type::FLOAT:
      return 4;
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return column.type_length();
    default:
      return 8;
  }
}

int64_t ColumnChunkBytes(const parquet::ColumnChunkMetaData& chunk,
                         const parquet::ColumnDescriptor& column) {
  const int64_t values = chunk.num_values();
  if (column.physical_type() != parquet::Type::BYTE_ARRAY) {
    return values * FixedValueBytes(column);
  }
  constexpr int64_t kOffsetBytes = sizeof(int32_t);
  const auto sizes = chunk.size_statistics();
  if (sizes != nullptr && sizes->unencoded_byte_array_data_bytes) {
    return *sizes->unencoded_byte_array_data_bytes + values * kOffsetBytes;
  }
  const int64_t guess = chunk.has_dictionary_page() ? values * kTextBytesGuess : 0;
  return std::max(chunk.total_uncompressed_size(), guess);
}

/// Statistics of floating columns leave NaN out, which these functions never let pass.
bool NanNeverPasses(const compute::Expression& filter) {
  constexpr std::array<std::string_view, 9> kFunctions{"equal",     "less",          "less_equal",
                                                       "greater",   "greater_equal", "and_kleene",
                                                       "or_kleene", "and",           "or"};
  const auto* call = filter.call();
  return call == nullptr ||
         (std::ranges::find(kFunctions, call->function_name) != kFunctions.end() &&
          std::ranges::all_of(call->arguments, NanNeverPasses));
}

/// Returns whether a cast maps a range of values to the range between what its ends map to.
bool KeepsOrder(const arrow::DataType& from, const compute::CastOptions& options) {
  const arrow::DataType& to = *options.to_type;
  if (from.Equals(to)) return true;
  if (arrow::is_base_binary_like(from.id())) return arrow::is_base_binary_like(to.id());
  if (arrow::is_date(from.id()) || from.id() == arrow::Type::TIMESTAMP) {
    return to.id() == arrow::Type::TIMESTAMP && !options.allow_time_overflow;
  }
  const bool numbers = (arrow::is_integer(from.id()) || arrow::is_floating(from.id())) &&
                       (arrow::is_integer(to.id()) || arrow::is_floating(to.id()));
  const bool wraps = options.allow_int_overflow || options.allow_float_truncate;
  return numbers && (arrow::is_floating(to.id()) || !wraps);
}

/// Collects the columns below casts that do not keep order: Arrow applies bounds through casts.
void AppendDisordered(const compute::Expression& filter, std::vector<arrow::FieldRef>& columns) {
  const auto* call = filter.call();
  if (call == nullptr) return;
  const bool disorders = call->function_name == "cast" &&
                         !KeepsOrder(*call->arguments.front().type(),
                                     static_cast<const compute::CastOptions&>(*call->options));
  for (const compute::Expression& argument : call->arguments) {
    AppendDisordered(argument, columns);
    if (!disorders) continue;
    const auto below = compute::FieldsInExpression(argument);
    columns.insert(columns.end(), below.begin(), below.end());
  }
}

/// Returns what is true of each value of the column; nothing where the statistics do not tell.
Result<std::optional<compute::Expression>> WhatHolds(const arrow::Field& field,
                                                     const parquet::ColumnChunkMetaData& chunk) {
  const auto statistics = chunk.statistics();
  if (statistics == nullptr) return std::nullopt;
  const auto column = compute::field_ref(arrow::FieldRef(field.name()));
  if (statistics->HasNullCount() && statistics->num_values() == 0 &&
      statistics->null_count() == chunk.num_values() && chunk.num_values() > 0) {
    return compute::is_null(column);
  }
  if (!statistics->HasMinMax()) return std::nullopt;
  std::shared_ptr<arrow::Scalar> least;
  std::shared_ptr<arrow::Scalar> greatest;
  if (!parquet::arrow::StatisticsAsScalars(*statistics, &least, &greatest).ok()) {
    return std::nullopt;
  }
  auto cast_least = least->CastTo(field.type());
  auto cast_greatest = greatest->CastTo(field.type());
  if (!cast_least.ok() || !cast_greatest.ok()) return std::nullopt;
  const bool no_nulls = statistics->HasNullCount() && statistics->null_count() == 0;
  const auto or_null = [&](compute::Expression holds) {
    return no_nulls ? holds : compute::or_(std::move(holds), compute::is_null(column));
  };
  return compute::and_(
      or_null(compute::greater_equal(column, compute::literal(cast_least.MoveValueUnsafe()))),
      or_null(compute::less_equal(column, compute::literal(cast_greatest.MoveValueUnsafe()))));
}

Status Encrypted(const InputFile& file) {
  return Status::NotImplemented(file.path,
                                ": the file is encrypted, which this version does not read; write "
                                "it again without encryption");
}

}  // namespace

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(const InputFile& file,
                                                                const ParquetFooter* footer) {
  PENSTOCK_TRY(auto input, OpenFile(file));
  WarmPool& memory = WarmPool::Shared();
  parquet::ReaderProperties properties(&memory);
  properties.enable_buffered_stream();
  properties.set_buffer_size(kReadBufferBytes);
  properties.set_page_checksum_verification(true);  // Where the writer left checksums.
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  const Status opened =
      builder.Open(std::move(input), properties, footer == nullptr ? nullptr : footer->metadata);
  if (opened.message().find("encrypted metadata") != std::string::npos) return Encrypted(file);
  if (!opened.ok()) return OpenFailure(opened, file);
  auto reader = builder.memory_pool(&memory)->properties(arrow_properties)->Build();
  if (!reader.ok()) return ReadFailure(reader.status(), file.path);
  return reader;
}

Result<std::shared_ptr<const ParquetFooter>> ReadParquetFooter(const InputFile& file) {
  PENSTOCK_TRY(const auto reader, OpenParquet(file, /*footer=*/nullptr));
  auto footer = std::make_shared<ParquetFooter>();
  footer->metadata = reader->parquet_reader()->metadata();
  if (footer->metadata->is_encryption_algorithm_set()) return Encrypted(file);
  const Status read = reader->GetSchema(&footer->schema);
  if (!read.ok()) return ReadFailure(read, file.path);
  footer->schema = WithCanonicalTensors(footer->schema);
  for (const auto& field : reader->manifest().schema_fields) {
    CollectLeaves(field, footer->leaves.emplace_back());
  }
  return footer;
}

int64_t RowGroupBytes(const ParquetFooter& footer, int row_group, const std::vector<int>& leaves) {
  const auto group = footer.metadata->RowGroup(row_group);
  int64_t bytes = 0;
  for (const int leaf : leaves) {
    bytes += ColumnChunkBytes(*group->ColumnChunk(leaf), *footer.metadata->schema()->Column(leaf));
  }
  return bytes;
}

Result<bool> RowGroupMayMatch(const ParquetFooter& footer, int row_group,
                              const compute::Expression& filter) {
  const auto group = footer.metadata->RowGroup(row_group);
  const bool trust_floats = NanNeverPasses(filter);
  std::vector<arrow::FieldRef> disordered;
  AppendDisordered(filter, disordered);
  std::vector<compute::Expression> guarantees;
  for (const arrow::FieldRef& reference : compute::FieldsInExpression(filter)) {
    if (std::ranges::find(disordered, reference) != disordered.end()) continue;
    PENSTOCK_TRY(const arrow::FieldPath path, reference.FindOne(*footer.schema));
    if (path.indices().size() != 1) continue;
    const int position = path.indices().front();
    const arrow::Field& field = *footer.schema->field(position);
    const auto& leaves = footer.leaves[static_cast<size_t>(position)];
    const bool nested = leaves.size() != 1 || field.type()->num_fields() > 0;
    if (nested || (arrow::is_floating(*field.type()) && !trust_floats)) continue;
    PENSTOCK_TRY(auto holds, WhatHolds(field, *group->ColumnChunk(leaves.front())));
    if (holds) guarantees.push_back(std::move(*holds));
  }
  if (guarantees.empty()) {
    const auto folded = compute::FoldConstants(filter);
    return !folded.ok() || folded->IsSatisfiable();
  }
  PENSTOCK_TRY(auto guarantee, compute::and_(guarantees).Bind(*footer.schema));
  const auto left = compute::SimplifyWithGuarantee(filter, guarantee);
  return !left.ok() || left->IsSatisfiable();  // What fails is for the rows themselves to say.
}

}  // namespace penstock
