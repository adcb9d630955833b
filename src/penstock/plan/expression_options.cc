#include "penstock/plan/expression_options.h"

#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>

#include <limits>
#include <map>
#include <string_view>

#include "penstock/plan/expression_values.h"
#include "penstock/plan/options.h"
#include "penstock/plan/type_text.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using Json = nlohmann::json;
using Options = Result<std::shared_ptr<compute::FunctionOptions>>;

constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::min();
constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

template <typename Kind, typename... Values>
Options Make(Values&&... values) {
  return std::make_shared<Kind>(std::forward<Values>(values)...);
}

Result<std::string> RequiredText(OptionReader& reader, const std::string& name) {
  const Json& value = reader.Raw(name);
  if (value.is_null()) return Status::Invalid("option \"", name, "\" is missing");
  return reader.Text(name, "");
}

Result<int64_t> RequiredInteger(OptionReader& reader, const std::string& name, int64_t least) {
  if (reader.Raw(name).is_null()) return Status::Invalid("option \"", name, "\" is missing");
  return reader.Integer(name, 0, least);
}

template <typename Choice>
using Choices = std::map<std::string_view, Choice>;

template <typename Choice>
Result<Choice> OneOf(OptionReader& reader, const std::string& name, const Choices<Choice>& choices,
                     Choice otherwise) {
  if (reader.Raw(name).is_null()) return otherwise;
  PENSTOCK_TRY(const std::string text, reader.Text(name, ""));
  const auto found = choices.find(text);
  if (found != choices.end()) return found->second;
  std::string known;
  for (const auto& [choice, value] : choices) {
    known += (known.empty() ? "" : ", ") + std::string(choice);
  }
  return reader.Wrong(name, "one of " + known);
}

Options ReadCast(OptionReader& reader) {
  PENSTOCK_TRY(const std::string name, RequiredText(reader, "type"));
  PENSTOCK_TRY(const auto type, TypeFromText(name));
  PENSTOCK_TRY(const bool safe, reader.Bool("safe", true));
  return Make<compute::CastOptions>(safe ? compute::CastOptions::Safe(type)
                                         : compute::CastOptions::Unsafe(type));
}

Options ReadMatch(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  PENSTOCK_TRY(const bool ignore_case, reader.Bool("ignore_case", false));
  return Make<compute::MatchSubstringOptions>(std::move(pattern), ignore_case);
}

Options ReadSplit(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t max_splits, reader.Integer("max_splits", -1, -1));
  PENSTOCK_TRY(const bool reverse, reader.Bool("reverse", false));
  return Make<compute::SplitOptions>(max_splits, reverse);
}

Options ReadSplitPattern(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  PENSTOCK_TRY(const int64_t max_splits, reader.Integer("max_splits", -1, -1));
  PENSTOCK_TRY(const bool reverse, reader.Bool("reverse", false));
  return Make<compute::SplitPatternOptions>(std::move(pattern), max_splits, reverse);
}

Options ReadReplace(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  PENSTOCK_TRY(std::string replacement, RequiredText(reader, "replacement"));
  PENSTOCK_TRY(const int64_t count, reader.Integer("max_replacements", -1, -1));
  return Make<compute::ReplaceSubstringOptions>(std::move(pattern), std::move(replacement), count);
}

Options ReadReplaceSlice(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t start, RequiredInteger(reader, "start", kAnyInteger));
  PENSTOCK_TRY(const int64_t stop, RequiredInteger(reader, "stop", kAnyInteger));
  PENSTOCK_TRY(std::string replacement, RequiredText(reader, "replacement"));
  return Make<compute::ReplaceSliceOptions>(start, stop, std::move(replacement));
}

Options ReadSlice(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t start, reader.Integer("start", 0, kAnyInteger));
  PENSTOCK_TRY(const int64_t stop, reader.Integer("stop", kEnd, kAnyInteger));
  PENSTOCK_TRY(const int64_t step, reader.Integer("step", 1, kAnyInteger));
  return Make<compute::SliceOptions>(start, stop, step);
}

Options ReadListSlice(OptionReader& reader) {
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

Options ReadPad(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t width, RequiredInteger(reader, "width", 0));
  PENSTOCK_TRY(std::string padding, reader.Text("padding", " "));
  PENSTOCK_TRY(const bool lean_left, reader.Bool("lean_left_on_odd_padding", true));
  return Make<compute::PadOptions>(width, std::move(padding), lean_left);
}

Options ReadZeroFill(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t width, RequiredInteger(reader, "width", 0));
  PENSTOCK_TRY(std::string padding, reader.Text("padding", "0"));
  return Make<compute::ZeroFillOptions>(width, std::move(padding));
}

Options ReadTrim(OptionReader& reader) {
  PENSTOCK_TRY(std::string characters, RequiredText(reader, "characters"));
  return Make<compute::TrimOptions>(std::move(characters));
}

Options ReadExtract(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  return Make<compute::ExtractRegexOptions>(std::move(pattern));
}

Options ReadNormalize(OptionReader& reader) {
  using Form = compute::Utf8NormalizeOptions;
  static const Choices<Form::Form> kForms = {
      {"NFC", Form::NFC}, {"NFKC", Form::NFKC}, {"NFD", Form::NFD}, {"NFKD", Form::NFKD}};
  PENSTOCK_TRY(const auto form, OneOf(reader, "form", kForms, Form::NFC));
  return Make<Form>(form);
}

Options ReadJoin(OptionReader& reader) {
  using Join = compute::JoinOptions;
  static const Choices<Join::NullHandlingBehavior> kHandling = {
      {"emit_null", Join::EMIT_NULL}, {"skip", Join::SKIP}, {"replace", Join::REPLACE}};
  PENSTOCK_TRY(const auto handling, OneOf(reader, "null_handling", kHandling, Join::EMIT_NULL));
  PENSTOCK_TRY(std::string replacement, reader.Text("null_replacement", ""));
  return Make<Join>(handling, std::move(replacement));
}

Options ReadElementWise(OptionReader& reader) {
  PENSTOCK_TRY(const bool skip_nulls, reader.Bool("skip_nulls", true));
  return Make<compute::ElementWiseAggregateOptions>(skip_nulls);
}

Options ReadNull(OptionReader& reader) {
  PENSTOCK_TRY(const bool nan_is_null, reader.Bool("nan_is_null", false));
  return Make<compute::NullOptions>(nan_is_null);
}

const Choices<compute::RoundMode>& RoundModes() {
  using Mode = compute::RoundMode;
  static const Choices<Mode> modes = {
      {"down", Mode::DOWN},
      {"up", Mode::UP},
      {"towards_zero", Mode::TOWARDS_ZERO},
      {"towards_infinity", Mode::TOWARDS_INFINITY},
      {"half_down", Mode::HALF_DOWN},
      {"half_up", Mode::HALF_UP},
      {"half_towards_zero", Mode::HALF_TOWARDS_ZERO},
      {"half_towards_infinity", Mode::HALF_TOWARDS_INFINITY},
      {"half_to_even", Mode::HALF_TO_EVEN},
      {"half_to_odd", Mode::HALF_TO_ODD},
  };
  return modes;
}

Result<compute::RoundMode> ReadRoundMode(OptionReader& reader) {
  return OneOf(reader, "round_mode", RoundModes(), compute::RoundMode::HALF_TO_EVEN);
}

Options ReadRound(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t digits, reader.Integer("ndigits", 0, kAnyInteger));
  PENSTOCK_TRY(const auto mode, ReadRoundMode(reader));
  return Make<compute::RoundOptions>(digits, mode);
}

Options ReadRoundBinary(OptionReader& reader) {
  PENSTOCK_TRY(const auto mode, ReadRoundMode(reader));
  return Make<compute::RoundBinaryOptions>(mode);
}

Options ReadRoundToMultiple(OptionReader& reader) {
  const Json& multiple = reader.Raw("multiple");
  if (!multiple.is_number()) return Status::Invalid("option \"multiple\" must be a number");
  PENSTOCK_TRY(auto scalar, ScalarFromJson({{"literal", multiple}}));
  PENSTOCK_TRY(const auto mode, ReadRoundMode(reader));
  return Make<compute::RoundToMultipleOptions>(std::move(scalar), mode);
}

Options ReadRoundTemporal(OptionReader& reader) {
  using Unit = compute::CalendarUnit;
  static const Choices<Unit> kUnits = {
      {"nanosecond", Unit::NANOSECOND},
      {"microsecond", Unit::MICROSECOND},
      {"millisecond", Unit::MILLISECOND},
      {"second", Unit::SECOND},
      {"minute", Unit::MINUTE},
      {"hour", Unit::HOUR},
      {"day", Unit::DAY},
      {"week", Unit::WEEK},
      {"month", Unit::MONTH},
      {"quarter", Unit::QUARTER},
      {"year", Unit::YEAR},
  };
  PENSTOCK_TRY(const int64_t multiple, reader.Integer("multiple", 1, 1));
  if (multiple > std::numeric_limits<int>::max()) return reader.Wrong("multiple", "a small number");
  PENSTOCK_TRY(const Unit unit, OneOf(reader, "unit", kUnits, Unit::DAY));
  PENSTOCK_TRY(const bool monday, reader.Bool("week_starts_monday", true));
  PENSTOCK_TRY(const bool greater, reader.Bool("ceil_is_strictly_greater", false));
  PENSTOCK_TRY(const bool calendar, reader.Bool("calendar_based_origin", false));
  return Make<compute::RoundTemporalOptions>(static_cast<int>(multiple), unit, monday, greater,
                                             calendar);
}

Options ReadStrftime(OptionReader& reader) {
  PENSTOCK_TRY(std::string format, reader.Text("format", compute::StrftimeOptions::kDefaultFormat));
  PENSTOCK_TRY(std::string locale, reader.Text("locale", "C"));
  return Make<compute::StrftimeOptions>(std::move(format), std::move(locale));
}

Options ReadStrptime(OptionReader& reader) {
  using Unit = arrow::TimeUnit;
  static const Choices<Unit::type> kUnits = {
      {"s", Unit::SECOND}, {"ms", Unit::MILLI}, {"us", Unit::MICRO}, {"ns", Unit::NANO}};
  PENSTOCK_TRY(std::string format, RequiredText(reader, "format"));
  PENSTOCK_TRY(const auto unit, OneOf(reader, "unit", kUnits, Unit::MICRO));
  PENSTOCK_TRY(const bool error_is_null, reader.Bool("error_is_null", false));
  return Make<compute::StrptimeOptions>(std::move(format), unit, error_is_null);
}

Options ReadDayOfWeek(OptionReader& reader) {
  PENSTOCK_TRY(const bool from_zero, reader.Bool("count_from_zero", true));
  PENSTOCK_TRY(const int64_t start, reader.Integer("week_start", 1, 1));
  if (start > 7) return reader.Wrong("week_start", "1 (Monday) to 7 (Sunday)");
  return Make<compute::DayOfWeekOptions>(from_zero, static_cast<uint32_t>(start));
}

Options ReadWeek(OptionReader& reader) {
  PENSTOCK_TRY(const bool monday, reader.Bool("week_starts_monday", true));
  PENSTOCK_TRY(const bool from_zero, reader.Bool("count_from_zero", false));
  PENSTOCK_TRY(const bool whole, reader.Bool("first_week_is_fully_in_year", false));
  return Make<compute::WeekOptions>(monday, from_zero, whole);
}

Options ReadAssumeTimezone(OptionReader& reader) {
  using Zone = compute::AssumeTimezoneOptions;
  static const Choices<Zone::Ambiguous> kAmbiguous = {{"raise", Zone::AMBIGUOUS_RAISE},
                                                      {"earliest", Zone::AMBIGUOUS_EARLIEST},
                                                      {"latest", Zone::AMBIGUOUS_LATEST}};
  static const Choices<Zone::Nonexistent> kNonexistent = {{"raise", Zone::NONEXISTENT_RAISE},
                                                          {"earliest", Zone::NONEXISTENT_EARLIEST},
                                                          {"latest", Zone::NONEXISTENT_LATEST}};
  PENSTOCK_TRY(std::string zone, RequiredText(reader, "timezone"));
  PENSTOCK_TRY(const auto twice, OneOf(reader, "ambiguous", kAmbiguous, Zone::AMBIGUOUS_RAISE));
  PENSTOCK_TRY(const auto never,
               OneOf(reader, "nonexistent", kNonexistent, Zone::NONEXISTENT_RAISE));
  return Make<Zone>(std::move(zone), twice, never);
}

Options ReadSetLookup(OptionReader& reader) {
  using Lookup = compute::SetLookupOptions;
  static const Choices<Lookup::NullMatchingBehavior> kNulls = {
      {"match", Lookup::MATCH},
      {"skip", Lookup::SKIP},
      {"emit_null", Lookup::EMIT_NULL},
      {"inconclusive", Lookup::INCONCLUSIVE}};
  PENSTOCK_TRY(auto values, ArrayFromJson(reader.Raw("values"), reader.Raw("type")));
  PENSTOCK_TRY(const auto nulls, OneOf(reader, "null_matching", kNulls, Lookup::MATCH));
  return Make<Lookup>(arrow::Datum(std::move(values)), nulls);
}

Options ReadStructField(OptionReader& reader) {
  const Json& field = reader.Raw("field");
  if (field.is_string()) {
    return Make<compute::StructFieldOptions>(arrow::FieldRef(field.get<std::string>()));
  }
  PENSTOCK_TRY(const int64_t index, RequiredInteger(reader, "field", 0));
  return Make<compute::StructFieldOptions>(std::vector<int>{static_cast<int>(index)});
}

Options ReadMakeStruct(OptionReader& reader) {
  PENSTOCK_TRY(auto names, reader.Texts("names"));
  if (!names) return Status::Invalid("option \"names\" is missing");
  return Make<compute::MakeStructOptions>(*std::move(names));
}

Options ReadMapLookup(OptionReader& reader) {
  using Lookup = compute::MapLookupOptions;
  static const Choices<Lookup::Occurrence> kOccurrences = {
      {"first", Lookup::FIRST}, {"last", Lookup::LAST}, {"all", Lookup::ALL}};
  const Json& key = reader.Raw("key");
  if (!key.is_object() || !key.contains("literal")) {
    return Status::Invalid("option \"key\" must be a literal");
  }
  PENSTOCK_TRY(auto scalar, ScalarFromJson(key));
  PENSTOCK_TRY(const auto occurrence, OneOf(reader, "occurrence", kOccurrences, Lookup::FIRST));
  return Make<Lookup>(std::move(scalar), occurrence);
}

using ReadOptions = Options (*)(OptionReader&);

const std::map<std::string_view, ReadOptions>& Readers() {
  static const std::map<std::string_view, ReadOptions> readers = {
      {"ascii_center", ReadPad},
      {"ascii_lpad", ReadPad},
      {"ascii_ltrim", ReadTrim},
      {"ascii_rpad", ReadPad},
      {"ascii_rtrim", ReadTrim},
      {"ascii_split_whitespace", ReadSplit},
      {"ascii_trim", ReadTrim},
      {"assume_timezone", ReadAssumeTimezone},
      {"binary_join_element_wise", ReadJoin},
      {"binary_replace_slice", ReadReplaceSlice},
      {"binary_slice", ReadSlice},
      {"cast", ReadCast},
      {"ceil_temporal", ReadRoundTemporal},
      {"count_substring", ReadMatch},
      {"count_substring_regex", ReadMatch},
      {"day_of_week", ReadDayOfWeek},
      {"ends_with", ReadMatch},
      {"extract_regex", ReadExtract},
      {"find_substring", ReadMatch},
      {"find_substring_regex", ReadMatch},
      {"floor_temporal", ReadRoundTemporal},
      {"index_in", ReadSetLookup},
      {"is_in", ReadSetLookup},
      {"is_null", ReadNull},
      {"list_slice", ReadListSlice},
      {"make_struct", ReadMakeStruct},
      {"map_lookup", ReadMapLookup},
      {"match_like", ReadMatch},
      {"match_substring", ReadMatch},
      {"match_substring_regex", ReadMatch},
      {"max_element_wise", ReadElementWise},
      {"min_element_wise", ReadElementWise},
      {"replace_substring", ReadReplace},
      {"replace_substring_regex", ReadReplace},
      {"round", ReadRound},
      {"round_binary", ReadRoundBinary},
      {"round_temporal", ReadRoundTemporal},
      {"round_to_multiple", ReadRoundToMultiple},
      {"split_pattern", ReadSplitPattern},
      {"split_pattern_regex", ReadSplitPattern},
      {"starts_with", ReadMatch},
      {"strftime", ReadStrftime},
      {"strptime", ReadStrptime},
      {"struct_field", ReadStructField},
      {"utf8_center", ReadPad},
      {"utf8_lpad", ReadPad},
      {"utf8_ltrim", ReadTrim},
      {"utf8_normalize", ReadNormalize},
      {"utf8_replace_slice", ReadReplaceSlice},
      {"utf8_rpad", ReadPad},
      {"utf8_rtrim", ReadTrim},
      {"utf8_slice_codeunits", ReadSlice},
      {"utf8_split_whitespace", ReadSplit},
      {"utf8_trim", ReadTrim},
      {"utf8_zero_fill", ReadZeroFill},
      {"week", ReadWeek},
      {"weeks_between", ReadDayOfWeek},
  };
  return readers;
}

Status Named(const std::string& function, const Status& status) {
  if (status.message().find(function) != std::string::npos) return status;
  return status.WithMessage("An expression calls '", function, "': ", status.message());
}

}  // namespace

Options ReadFunctionOptions(const std::string& function, const Json& options) {
  const auto found = Readers().find(function);
  if (found == Readers().end()) {
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
  auto made = found->second(reader);
  if (!made.ok()) return Named(function, made.status());
  PENSTOCK_RETURN_NOT_OK(reader.RefuseOthers());
  return made;
}

}  // namespace penstock
