#include <arrow/compute/api_scalar.h>

#include <limits>
#include <string>

#include "penstock/plan/expression_option_readers.h"
#include "penstock/plan/expression_values.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using Json = nlohmann::json;

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

FunctionOptionsResult ReadListSlice(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t start, reader.Integer("start", 0, 0));
  PENSTOCK_TRY(const int64_t step, reader.Integer("step", 1, 1));
  PENSTOCK_TRY(const int64_t stop, reader.Integer("stop", kEnd, start));
  auto options = std::make_shared<compute::ListSliceOptions>(start, std::nullopt, step);
  if (stop != kEnd) options->stop = stop;
  if (!reader.Raw("return_fixed_size_list").is_null()) {
    PENSTOCK_TRY(options->return_fixed_size_list, reader.Bool("return_fixed_size_list", false));
  }
  return options;
}

FunctionOptionsResult ReadStructField(OptionReader& reader) {
  const Json& field = reader.Raw("field");
  if (field.is_string()) {
    return MakeOptions<compute::StructFieldOptions>(arrow::FieldRef(field.get<std::string>()));
  }
  PENSTOCK_TRY(const int64_t index, RequiredInteger(reader, "field", 0));
  return MakeOptions<compute::StructFieldOptions>(std::vector<int>{static_cast<int>(index)});
}

FunctionOptionsResult ReadMakeStruct(OptionReader& reader) {
  PENSTOCK_TRY(auto names, reader.Texts("names"));
  if (!names) return Status::Invalid("option \"names\" is missing");
  return MakeOptions<compute::MakeStructOptions>(*std::move(names));
}

FunctionOptionsResult ReadMapLookup(OptionReader& reader) {
  using Lookup = compute::MapLookupOptions;
  static const Choices<Lookup::Occurrence> kOccurrences = {
      {"first", Lookup::FIRST}, {"last", Lookup::LAST}, {"all", Lookup::ALL}};
  const Json& key = reader.Raw("key");
  if (!key.is_object() || !key.contains("literal")) {
    return Status::Invalid("option \"key\" must be a literal");
  }
  PENSTOCK_TRY(auto scalar, ScalarFromJson(key));
  PENSTOCK_TRY(const auto occurrence, OneOf(reader, "occurrence", kOccurrences, Lookup::FIRST));
  return MakeOptions<Lookup>(std::move(scalar), occurrence);
}

}  // namespace

const OptionReaders& NestedOptionReaders() {
  static const OptionReaders readers = {
      {"list_slice", ReadListSlice},
      {"make_struct", ReadMakeStruct},
      {"map_lookup", ReadMapLookup},
      {"struct_field", ReadStructField},
  };
  return readers;
}

}  // namespace penstock
