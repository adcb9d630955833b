#include "penstock/sink/parquet_options.h"

#include <arrow/util/compression.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/memory/warm_pool.h"

namespace penstock {
namespace {

using Builder = parquet::WriterProperties::Builder;

std::optional<arrow::Compression::type> CodecOf(const nlohmann::json& value) {
  if (!value.is_string()) return std::nullopt;
  const std::string name = value.get<std::string>();
  const auto codec = arrow::util::Codec::GetCompressionType(name == "none" ? "uncompressed" : name);
  if (!codec.ok() || !arrow::util::Codec::IsAvailable(*codec)) return std::nullopt;
  return *codec;
}

Status ReadCompression(OptionReader& options, Builder& builder) {
  const auto wrong = [&] {
    return options.Wrong("compression",
                         "none, snappy, gzip, zstd, lz4 or brotli, or one of these by column");
  };
  const nlohmann::json& value = options.Raw("compression");
  if (!value.is_object()) {
    const auto codec = value.is_null() ? arrow::Compression::SNAPPY : CodecOf(value);
    if (!codec) return wrong();
    builder.compression(*codec);
    return Status::OK();
  }
  for (const auto& [column, name] : value.items()) {
    const auto codec = CodecOf(name);
    if (!codec) return wrong();
    builder.compression(column, *codec);
  }
  return Status::OK();
}

std::optional<int> LevelOf(const nlohmann::json& value) {
  if (!value.is_number_integer() || value.get<int64_t>() < -100) return std::nullopt;
  return static_cast<int>(std::min<int64_t>(value.get<int64_t>(), 100));
}

Status ReadCompressionLevel(OptionReader& options, Builder& builder) {
  const auto wrong = [&] {
    return options.Wrong("compression_level",
                         "an integer of at least -100, or one of these by column");
  };
  const nlohmann::json& value = options.Raw("compression_level");
  if (value.is_null()) return Status::OK();
  if (!value.is_object()) {
    const auto level = LevelOf(value);
    if (!level) return wrong();
    builder.compression_level(*level);
    return Status::OK();
  }
  for (const auto& [column, one] : value.items()) {
    const auto level = LevelOf(one);
    if (!level) return wrong();
    builder.compression_level(column, *level);
  }
  return Status::OK();
}

/// Reads an option that holds for all columns, none, or those in a list. `all` sets it for all,
/// `one` for a column.
template <typename All, typename One>
Status ReadColumnSwitch(OptionReader& options, const std::string& name, All all, One one) {
  if (!options.Raw(name).is_array()) {
    PENSTOCK_TRY(const bool on, options.Bool(name, true));
    all(on);
    return Status::OK();
  }
  PENSTOCK_TRY(const auto columns, options.Texts(name));
  all(false);
  for (const std::string& column : *columns) one(column);
  return Status::OK();
}

Status ReadColumnSwitches(OptionReader& options, Builder& builder) {
  PENSTOCK_RETURN_NOT_OK(ReadColumnSwitch(
      options, "dictionary",
      [&](bool on) { on ? builder.enable_dictionary() : builder.disable_dictionary(); },
      [&](const std::string& column) { builder.enable_dictionary(column); }));
  return ReadColumnSwitch(
      options, "statistics",
      [&](bool on) { on ? builder.enable_statistics() : builder.disable_statistics(); },
      [&](const std::string& column) { builder.enable_statistics(column); });
}

Status ReadVersion(OptionReader& options, Builder& builder) {
  constexpr std::array kVersions{
      std::pair{std::string_view("1.0"), parquet::ParquetVersion::PARQUET_1_0},
      std::pair{std::string_view("2.4"), parquet::ParquetVersion::PARQUET_2_4},
      std::pair{std::string_view("2.6"), parquet::ParquetVersion::PARQUET_2_6},
  };
  PENSTOCK_TRY(const std::string name, options.Text("version", "2.6"));
  const auto* known =
      std::ranges::find(kVersions, name, [](const auto& version) { return version.first; });
  if (known == kVersions.end()) return options.Wrong("version", "\"1.0\", \"2.4\" or \"2.6\"");
  builder.version(known->second);
  return Status::OK();
}

}  // namespace

Result<ParquetOptions> ReadParquetOptions(OptionReader& options) {
  Builder builder;
  builder.memory_pool(&WarmPool::Shared());
  builder.enable_page_checksum();
  PENSTOCK_RETURN_NOT_OK(ReadCompression(options, builder));
  PENSTOCK_RETURN_NOT_OK(ReadCompressionLevel(options, builder));
  PENSTOCK_TRY(const int64_t group_rows, options.Integer("row_group_rows", int64_t{1} << 20, 1));
  builder.max_row_group_length(group_rows);
  PENSTOCK_RETURN_NOT_OK(ReadColumnSwitches(options, builder));
  PENSTOCK_RETURN_NOT_OK(ReadVersion(options, builder));
  PENSTOCK_TRY(const int64_t page_bytes, options.Integer("page_bytes", int64_t{1} << 20, 1));
  builder.data_pagesize(page_bytes);
  PENSTOCK_TRY(const bool page_index, options.Bool("page_index", false));
  page_index ? builder.enable_write_page_index() : builder.disable_write_page_index();

  parquet::ArrowWriterProperties::Builder arrow;
  arrow.set_use_threads(false);
  PENSTOCK_TRY(const bool store_schema, options.Bool("store_schema", true));
  if (store_schema) arrow.store_schema();
  PENSTOCK_TRY(const bool compliant, options.Bool("compliant_lists", true));
  compliant ? arrow.enable_compliant_nested_types() : arrow.disable_compliant_nested_types();
  return ParquetOptions{.properties = builder.build(),
                        .arrow_properties = arrow.build(),
                        .judges_dictionary = options.Raw("dictionary").is_null()};
}

}  // namespace penstock
