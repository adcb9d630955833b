#pragma once

#include <arrow/compute/function_options.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

using FunctionOptionsResult = Result<std::shared_ptr<arrow::compute::FunctionOptions>>;
using ReadOptionsOf = FunctionOptionsResult (*)(OptionReader&);

/// For each function by its name, what reads its options. One file for each kind of functions.
using OptionReaders = std::map<std::string_view, ReadOptionsOf>;
const OptionReaders& TextOptionReaders();
const OptionReaders& NumberOptionReaders();
const OptionReaders& TimeOptionReaders();
const OptionReaders& NestedOptionReaders();
const OptionReaders& ValueOptionReaders();

template <typename Kind, typename... Values>
FunctionOptionsResult MakeOptions(Values&&... values) {
  return std::make_shared<Kind>(std::forward<Values>(values)...);
}

/// Invalid where the option is missing.
Result<std::string> RequiredText(OptionReader& reader, const std::string& name);
Result<int64_t> RequiredInteger(OptionReader& reader, const std::string& name, int64_t least);

template <typename Choice>
using Choices = std::map<std::string_view, Choice>;

/// Returns what the option's text stands for; Invalid, naming the choices, for another text.
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

}  // namespace penstock
