#include "penstock/plan/expression_options.h"

#include <array>

#include "penstock/plan/expression_option_readers.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

ReadOptionsOf FindReader(const std::string& function) {
  const std::array kinds{&TextOptionReaders(), &NumberOptionReaders(), &TimeOptionReaders(),
                         &NestedOptionReaders(), &ValueOptionReaders()};
  for (const OptionReaders* readers : kinds) {
    const auto found = readers->find(function);
    if (found != readers->end()) return found->second;
  }
  return nullptr;
}

Status Named(const std::string& function, const Status& status) {
  if (status.message().find(function) != std::string::npos) return status;
  return status.WithMessage("An expression calls '", function, "': ", status.message());
}

}  // namespace

Result<std::string> RequiredText(OptionReader& reader, const std::string& name) {
  const Json& value = reader.Raw(name);
  if (value.is_null()) return Status::Invalid("option \"", name, "\" is missing");
  return reader.Text(name, "");
}

Result<int64_t> RequiredInteger(OptionReader& reader, const std::string& name, int64_t least) {
  if (reader.Raw(name).is_null()) return Status::Invalid("option \"", name, "\" is missing");
  return reader.Integer(name, 0, least);
}

FunctionOptionsResult ReadFunctionOptions(const std::string& function, const Json& options) {
  const ReadOptionsOf read = FindReader(function);
  if (read == nullptr) {
    if (options.is_null()) return nullptr;
    return Status::Invalid("An expression gives options to a function that takes none here: '",
                           function, "'");
  }
  if (!options.is_null() && !options.is_object()) {
    return Status::Invalid("An expression's options of '", function, "' must be an object");
  }
  static const Json kNone = Json::object();
  OptionReader reader("An expression's function '" + function + "'",
                      options.is_null() ? kNone : options);
  auto made = read(reader);
  if (!made.ok()) return Named(function, made.status());
  PENSTOCK_RETURN_NOT_OK(reader.RefuseOthers());
  return made;
}

}  // namespace penstock
