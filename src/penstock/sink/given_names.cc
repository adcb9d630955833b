#include "penstock/sink/given_names.h"

#include <arrow/array/array_binary.h>

#include <string_view>

namespace penstock {

std::pair<std::string, std::string> StemAndExtension(const std::string& name,
                                                     const std::string& extension) {
  const size_t dot = name.ends_with(extension) ? name.size() - extension.size() : name.rfind('.');
  if (dot == std::string::npos) return {name, extension};
  return {name.substr(0, dot), name.substr(dot)};
}

Status CheckGivenName(const std::string& name) {
  const bool hidden = name.empty() || name.front() == '.' || name.front() == '_';
  if (!hidden && name.find_first_of(std::string_view("/\0", 2)) == std::string::npos) {
    return Status::OK();
  }
  return Status::Invalid(
      "A file's name must not begin with \".\" or \"_\" nor hold \"/\", so that readers find it; "
      "change the file-name provider; got: '",
      name, "'");
}

Result<std::string> GivenName(const arrow::RecordBatch& row, int column,
                              const std::string& extension) {
  const std::shared_ptr<arrow::Array> names = row.column(column);
  std::string name;
  if (names->type_id() == arrow::Type::STRING && names->IsValid(0)) {
    name = static_cast<const arrow::StringArray&>(*names).GetString(0);
  } else if (names->type_id() == arrow::Type::LARGE_STRING && names->IsValid(0)) {
    name = static_cast<const arrow::LargeStringArray&>(*names).GetString(0);
  } else {
    return Status::Invalid("A file's name must be text; got: ", names->type()->ToString());
  }
  PENSTOCK_RETURN_NOT_OK(CheckGivenName(name));
  const auto [stem, ending] = StemAndExtension(name, extension);
  return stem + ending;
}

}  // namespace penstock
