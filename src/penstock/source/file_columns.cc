#include "penstock/source/file_columns.h"

#include <arrow/util/uri.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "penstock/source/type_names.h"
#include "penstock/source/utf8.h"

namespace penstock {
namespace {

constexpr const char* kPathColumn = "path";
constexpr const char* kOption = "partitioning";
constexpr std::string_view kNull = "__HIVE_DEFAULT_PARTITION__";

std::vector<std::string_view> Folders(std::string_view path) {
  std::vector<std::string_view> folders;
  size_t begin = 0;
  while (true) {
    const size_t end = path.find('/', begin);
    if (end == std::string_view::npos) return folders;
    if (end > begin) folders.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::vector<std::string> NamesOf(const Partitioning::Values& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  return names;
}

Result<std::optional<Partitioning>> ReadPartitioning(OptionReader& options) {
  const nlohmann::json given = options.Raw(kOption);
  if (given.is_null()) return std::nullopt;
  if (!given.is_object()) return options.Wrong(kOption, "an object");
  OptionReader parts(kOption, given);
  Partitioning read;
  PENSTOCK_TRY(const std::string style, parts.Text("style", "hive"));
  if (style != "hive" && style != "dir") return parts.Wrong("style", "\"hive\" or \"dir\"");
  read.hive = style == "hive";
  PENSTOCK_TRY(read.base_folder, parts.Text("base_dir", ""));
  if (!read.base_folder.empty() && !read.base_folder.ends_with('/')) read.base_folder += '/';
  PENSTOCK_TRY(auto names, parts.Texts("field_names"));
  read.names = std::move(names).value_or(std::vector<std::string>{});
  if (!read.hive && read.names.empty()) return parts.Wrong("field_names", "at least one name");
  PENSTOCK_TRY(const ColumnTypes types, ReadColumnTypes(parts, "field_types"));
  read.types.assign(types.begin(), types.end());
  PENSTOCK_RETURN_NOT_OK(parts.RefuseOthers());
  return read;
}

/// What becomes a column of text, or a column's name, must be text.
Status CheckUtf8(const InputFile& file, const std::string& part) {
  if (IsUtf8(part)) return Status::OK();
  return Status::Invalid(
      fmt::format("{}: the path is not UTF-8, as columns are; rename the file or folder, or leave "
                  "include_paths and partitioning out",
                  file.path));
}

}  // namespace

Result<Partitioning::Values> Partitioning::ValuesOf(const std::string& path) const {
  if (!path.starts_with(base_folder)) return Values{};
  Values values;
  for (const std::string_view folder : Folders(std::string_view(path).substr(base_folder.size()))) {
    if (!hive) {
      values.emplace_back(values.size() < names.size() ? names[values.size()] : "", folder);
      continue;
    }
    const size_t sign = folder.find('=');
    if (sign == 0 || std::ranges::count(folder, '=') != 1) continue;
    const std::string_view value = folder.substr(sign + 1);
    values.emplace_back(folder.substr(0, sign), arrow::util::UriUnescape(value));
    if (value == kNull) values.back().second = std::nullopt;
  }
  if (values.empty() || names.empty()) return values;
  if (NamesOf(values) != names) {
    std::vector<std::string> found;
    for (const auto& [name, value] : values) {
      found.push_back((hive ? name + "=" : "") + value.value_or(std::string(kNull)));
    }
    return Status::Invalid(fmt::format("The folders of {} are not the partitions {}; got: {}", path,
                                       fmt::join(names, ", "), fmt::join(found, ", ")));
  }
  return values;
}

FileColumns::FileColumns(bool include_path) : include_path_(include_path) {
  arrow::FieldVector fields;
  if (include_path) fields.push_back(arrow::field(kPathColumn, arrow::utf8()));
  schema_ = arrow::schema(std::move(fields));
}

Result<FileColumns> FileColumns::Make(OptionReader& options, bool include_path) {
  FileColumns columns(include_path);
  PENSTOCK_TRY(columns.partitioning_, ReadPartitioning(options));
  return columns;
}

Status FileColumns::AddPartitionsOf(const std::vector<InputFile>& files) {
  if (!partitioning_) return Status::OK();
  arrow::FieldVector fields = schema_->fields();
  for (const InputFile& file : files) {
    PENSTOCK_TRY(const auto values, partitioning_->ValuesOf(file.path));
    for (const auto& [name, value] : values) {
      if (std::ranges::find(fields, name, &arrow::Field::name) != fields.end()) continue;
      PENSTOCK_RETURN_NOT_OK(CheckUtf8(file, name));
      const auto& types = partitioning_->types;
      const auto typed =
          std::ranges::find(types, name, [](const auto& pair) { return pair.first; });
      const auto& type = typed == types.end() ? arrow::utf8() : typed->second;
      fields.insert(fields.end() - (include_path_ ? 1 : 0), arrow::field(name, type));
    }
  }
  schema_ = arrow::schema(std::move(fields));
  return Status::OK();
}

void FileColumns::TakeTypes(const arrow::Schema& declared) {
  arrow::FieldVector fields = schema_->fields();
  for (auto& field : fields) {
    const auto given = declared.GetFieldByName(field->name());
    if (given != nullptr) field = field->WithType(given->type());
  }
  schema_ = arrow::schema(std::move(fields));
}

Result<arrow::ScalarVector> FileColumns::ValuesOf(const InputFile& file) const {
  Partitioning::Values values;
  if (partitioning_) {
    PENSTOCK_TRY(values, partitioning_->ValuesOf(file.path));
  }
  arrow::ScalarVector scalars;
  for (const auto& field : schema_->fields()) {
    if (include_path_ && field->name() == kPathColumn) {
      PENSTOCK_RETURN_NOT_OK(CheckUtf8(file, file.path));
      scalars.push_back(std::make_shared<arrow::StringScalar>(file.path));
      continue;
    }
    // The folder nearest to the file, where a key comes twice.
    const auto found = std::ranges::find(values.rbegin(), values.rend(), field->name(),
                                         [](const auto& pair) { return pair.first; });
    if (found == values.rend() || !found->second) {
      scalars.push_back(arrow::MakeNullScalar(field->type()));
      continue;
    }
    PENSTOCK_RETURN_NOT_OK(CheckUtf8(file, *found->second));
    auto scalar = arrow::Scalar::Parse(field->type(), *found->second);
    if (!scalar.ok()) {
      return Status::Invalid(fmt::format("{}: the partition \"{}\" is not of its type {}; got: {}",
                                         file.path, field->name(), field->type()->ToString(),
                                         *found->second));
    }
    scalars.push_back(scalar.MoveValueUnsafe());
  }
  return scalars;
}

}  // namespace penstock
