#include "penstock/source/type_names.h"

namespace penstock {
namespace {

std::shared_ptr<arrow::DataType> TypeOf(const std::string& name) {
  static const ColumnTypes kTypes = [] {
    ColumnTypes types;
    for (const auto& type : {arrow::null(),
                             arrow::boolean(),
                             arrow::int8(),
                             arrow::int16(),
                             arrow::int32(),
                             arrow::int64(),
                             arrow::uint8(),
                             arrow::uint16(),
                             arrow::uint32(),
                             arrow::uint64(),
                             arrow::float32(),
                             arrow::float64(),
                             arrow::utf8(),
                             arrow::large_utf8(),
                             arrow::binary(),
                             arrow::large_binary(),
                             arrow::timestamp(arrow::TimeUnit::SECOND),
                             arrow::timestamp(arrow::TimeUnit::MILLI),
                             arrow::timestamp(arrow::TimeUnit::MICRO),
                             arrow::timestamp(arrow::TimeUnit::NANO)}) {
      types.emplace(type->ToString(), type);
    }
    types.emplace("date32", arrow::date32());
    return types;
  }();
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? nullptr : found->second;
}

}  // namespace

Result<ColumnTypes> ReadColumnTypes(OptionReader& options, const std::string& name) {
  ColumnTypes types;
  const nlohmann::json& given = options.Raw(name);
  if (given.is_null()) return types;
  if (!given.is_object()) return options.Wrong(name, "an object");
  for (const auto& [column, type] : given.items()) {
    const auto known = type.is_string() ? TypeOf(type.get<std::string>()) : nullptr;
    if (known == nullptr) {
      return options.Wrong(name, "an object of columns and the names of Arrow's types");
    }
    types.emplace(column, known);
  }
  return types;
}

}  // namespace penstock
