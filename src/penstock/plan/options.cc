#include "penstock/plan/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace penstock {

using nlohmann::json;

json OptionsFromText(const std::string& text) {
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : json{{"not a JSON object", text}};
}

const json& OptionReader::Raw(const std::string& name) {
  static const json kAbsent;
  known_.insert(name);
  const auto found = options_.find(name);
  return found == options_.end() ? kAbsent : *found;
}

Status OptionReader::Wrong(const std::string& name, const std::string& wanted) const {
  return Status::Invalid(fmt::format("{}: option \"{}\" must be {}; got: {}", owner_, name, wanted,
                                     options_.at(name).dump()));
}

Result<bool> OptionReader::Bool(const std::string& name, bool otherwise) {
  const json& value = Raw(name);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) return Wrong(name, "true or false");
  return value.get<bool>();
}

Result<int64_t> OptionReader::Integer(const std::string& name, int64_t otherwise, int64_t least) {
  const json& value = Raw(name);
  if (value.is_null()) return otherwise;
  if (!value.is_number_integer() || value.get<int64_t>() < least) {
    return Wrong(name, fmt::format("an integer of at least {}", least));
  }
  return value.get<int64_t>();
}

Result<std::string> OptionReader::Text(const std::string& name, const std::string& otherwise) {
  const json& value = Raw(name);
  if (value.is_null()) return otherwise;
  if (!value.is_string()) return Wrong(name, "a text");
  return value.get<std::string>();
}

Result<std::optional<std::vector<std::string>>> OptionReader::Texts(const std::string& name) {
  const json& value = Raw(name);
  if (value.is_null()) return std::nullopt;
  const auto is_text = [](const json& item) { return item.is_string(); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) {
    return Wrong(name, "a list of texts");
  }
  return value.get<std::vector<std::string>>();
}

Result<std::vector<int64_t>> OptionReader::Integers(const std::string& name,
                                                    std::vector<int64_t> otherwise, int64_t least) {
  const json& value = Raw(name);
  if (value.is_null()) return otherwise;
  const auto fits = [least](const json& item) {
    return item.is_number_integer() && item.get<int64_t>() >= least;
  };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), fits)) {
    return Wrong(name, fmt::format("a list of integers of at least {}", least));
  }
  return value.get<std::vector<int64_t>>();
}

Status OptionReader::RefuseOthers() const {
  for (const auto& [name, value] : options_.items()) {
    if (!known_.contains(name)) {
      return Status::Invalid(fmt::format("{} has no such option; it knows {}; got: {}", owner_,
                                         fmt::join(known_, ", "), name));
    }
  }
  return Status::OK();
}

}  // namespace penstock
