#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>

#include <string>

#include "penstock/plan/expression_option_readers.h"
#include "penstock/plan/expression_values.h"
#include "penstock/plan/type_text.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using Json = nlohmann::json;

FunctionOptionsResult ReadCast(OptionReader& reader) {
  PENSTOCK_TRY(const std::string name, RequiredText(reader, "type"));
  PENSTOCK_TRY(const auto type, TypeFromText(name));
  PENSTOCK_TRY(const bool safe, reader.Bool("safe", true));
  return MakeOptions<compute::CastOptions>(safe ? compute::CastOptions::Safe(type)
                                                : compute::CastOptions::Unsafe(type));
}

FunctionOptionsResult ReadElementWise(OptionReader& reader) {
  PENSTOCK_TRY(const bool skip_nulls, reader.Bool("skip_nulls", true));
  return MakeOptions<compute::ElementWiseAggregateOptions>(skip_nulls);
}

FunctionOptionsResult ReadNull(OptionReader& reader) {
  PENSTOCK_TRY(const bool nan_is_null, reader.Bool("nan_is_null", false));
  return MakeOptions<compute::NullOptions>(nan_is_null);
}

FunctionOptionsResult ReadSetLookup(OptionReader& reader) {
  using Lookup = compute::SetLookupOptions;
  static const Choices<Lookup::NullMatchingBehavior> kNulls = {
      {"match", Lookup::MATCH},
      {"skip", Lookup::SKIP},
      {"emit_null", Lookup::EMIT_NULL},
      {"inconclusive", Lookup::INCONCLUSIVE}};
  PENSTOCK_TRY(auto values, ArrayFromJson(reader.Raw("values"), reader.Raw("type")));
  PENSTOCK_TRY(const auto nulls, OneOf(reader, "null_matching", kNulls, Lookup::MATCH));
  return MakeOptions<Lookup>(arrow::Datum(std::move(values)), nulls);
}

}  // namespace

const OptionReaders& ValueOptionReaders() {
  static const OptionReaders readers = {
      {"cast", ReadCast},
      {"index_in", ReadSetLookup},
      {"is_in", ReadSetLookup},
      {"is_null", ReadNull},
      {"max_element_wise", ReadElementWise},
      {"min_element_wise", ReadElementWise},
  };
  return readers;
}

}  // namespace penstock
