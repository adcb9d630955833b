#include <arrow/compute/api_scalar.h>

#include <limits>
#include <string>

#include "penstock/plan/expression_option_readers.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::min();
constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

FunctionOptionsResult ReadMatch(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  PENSTOCK_TRY(const bool ignore_case, reader.Bool("ignore_case", false));
  return MakeOptions<compute::MatchSubstringOptions>(std::move(pattern), ignore_case);
}

FunctionOptionsResult ReadSplit(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t max_splits, reader.Integer("max_splits", -1, -1));
  PENSTOCK_TRY(const bool reverse, reader.Bool("reverse", false));
  return MakeOptions<compute::SplitOptions>(max_splits, reverse);
}

FunctionOptionsResult ReadSplitPattern(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  PENSTOCK_TRY(const int64_t max_splits, reader.Integer("max_splits", -1, -1));
  PENSTOCK_TRY(const bool reverse, reader.Bool("reverse", false));
  return MakeOptions<compute::SplitPatternOptions>(std::move(pattern), max_splits, reverse);
}

FunctionOptionsResult ReadReplace(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  PENSTOCK_TRY(std::string replacement, RequiredText(reader, "replacement"));
  PENSTOCK_TRY(const int64_t count, reader.Integer("max_replacements", -1, -1));
  return MakeOptions<compute::ReplaceSubstringOptions>(std::move(pattern), std::move(replacement),
                                                       count);
}

FunctionOptionsResult ReadReplaceSlice(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t start, RequiredInteger(reader, "start", kAnyInteger));
  PENSTOCK_TRY(const int64_t stop, RequiredInteger(reader, "stop", kAnyInteger));
  PENSTOCK_TRY(std::string replacement, RequiredText(reader, "replacement"));
  return MakeOptions<compute::ReplaceSliceOptions>(start, stop, std::move(replacement));
}

FunctionOptionsResult ReadSlice(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t start, reader.Integer("start", 0, kAnyInteger));
  PENSTOCK_TRY(const int64_t stop, reader.Integer("stop", kEnd, kAnyInteger));
  PENSTOCK_TRY(const int64_t step, reader.Integer("step", 1, kAnyInteger));
  return MakeOptions<compute::SliceOptions>(start, stop, step);
}

FunctionOptionsResult ReadPad(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t width, RequiredInteger(reader, "width", 0));
  PENSTOCK_TRY(std::string padding, reader.Text("padding", " "));
  PENSTOCK_TRY(const bool lean_left, reader.Bool("lean_left_on_odd_padding", true));
  return MakeOptions<compute::PadOptions>(width, std::move(padding), lean_left);
}

FunctionOptionsResult ReadZeroFill(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t width, RequiredInteger(reader, "width", 0));
  PENSTOCK_TRY(std::string padding, reader.Text("padding", "0"));
  return MakeOptions<compute::ZeroFillOptions>(width, std::move(padding));
}

FunctionOptionsResult ReadTrim(OptionReader& reader) {
  PENSTOCK_TRY(std::string characters, RequiredText(reader, "characters"));
  return MakeOptions<compute::TrimOptions>(std::move(characters));
}

FunctionOptionsResult ReadExtract(OptionReader& reader) {
  PENSTOCK_TRY(std::string pattern, RequiredText(reader, "pattern"));
  return MakeOptions<compute::ExtractRegexOptions>(std::move(pattern));
}

FunctionOptionsResult ReadNormalize(OptionReader& reader) {
  using Form = compute::Utf8NormalizeOptions;
  static const Choices<Form::Form> kForms = {
      {"NFC", Form::NFC}, {"NFKC", Form::NFKC}, {"NFD", Form::NFD}, {"NFKD", Form::NFKD}};
  PENSTOCK_TRY(const auto form, OneOf(reader, "form", kForms, Form::NFC));
  return MakeOptions<Form>(form);
}

FunctionOptionsResult ReadJoin(OptionReader& reader) {
  using Join = compute::JoinOptions;
  static const Choices<Join::NullHandlingBehavior> kHandling = {
      {"emit_null", Join::EMIT_NULL}, {"skip", Join::SKIP}, {"replace", Join::REPLACE}};
  PENSTOCK_TRY(const auto handling, OneOf(reader, "null_handling", kHandling, Join::EMIT_NULL));
  PENSTOCK_TRY(std::string replacement, reader.Text("null_replacement", ""));
  return MakeOptions<Join>(handling, std::move(replacement));
}

}  // namespace

const OptionReaders& TextOptionReaders() {
  static const OptionReaders readers = {
      {"ascii_center", ReadPad},
      {"ascii_lpad", ReadPad},
      {"ascii_ltrim", ReadTrim},
      {"ascii_rpad", ReadPad},
      {"ascii_rtrim", ReadTrim},
      {"ascii_split_whitespace", ReadSplit},
      {"ascii_trim", ReadTrim},
      {"binary_join_element_wise", ReadJoin},
      {"binary_replace_slice", ReadReplaceSlice},
      {"binary_slice", ReadSlice},
      {"count_substring", ReadMatch},
      {"count_substring_regex", ReadMatch},
      {"ends_with", ReadMatch},
      {"extract_regex", ReadExtract},
      {"find_substring", ReadMatch},
      {"find_substring_regex", ReadMatch},
      {"match_like", ReadMatch},
      {"match_substring", ReadMatch},
      {"match_substring_regex", ReadMatch},
      {"replace_substring", ReadReplace},
      {"replace_substring_regex", ReadReplace},
      {"split_pattern", ReadSplitPattern},
      {"split_pattern_regex", ReadSplitPattern},
      {"starts_with", ReadMatch},
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
  };
  return readers;
}

}  // namespace penstock
