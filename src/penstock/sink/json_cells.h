#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// How values become JSON where there is a choice; the defaults are pandas'.
struct JsonStyle {
  bool ascii = true;       // Text beyond ASCII as \u escapes.
  bool iso_dates = false;  // Dates and timestamps as ISO 8601 text, else as numbers.
  arrow::TimeUnit::type unit = arrow::TimeUnit::MILLI;  // Of those numbers, and of fractions.
};

/// Writes the values of one column as JSON. One thread.
///
/// Integers and decimals keep all digits; floats have as many as tell them from others of their
/// type. Null, NaN and the infinities are null. Binary is base64, times of day are ISO 8601,
/// durations numbers in the style's unit. Lists and tensors nest; structs, and maps with keys of
/// text, are objects; other maps lists of pairs.
class JsonCells {
 public:
  virtual ~JsonCells() = default;

  /// Chooses the array to write from: of the type that the cells were made for, kept by the caller.
  virtual void Bind(const arrow::Array& array) = 0;

  /// Appends the value of a row. Invalid for text that is not UTF-8.
  virtual Status Append(int64_t row, std::string* out) const = 0;
};

/// Invalid for types that have no JSON form.
Result<std::unique_ptr<JsonCells>> MakeJsonCells(const arrow::DataType& type,
                                                 const JsonStyle& style);

/// The same for the types among them that are made of others.
Result<std::unique_ptr<JsonCells>> MakeNestedJsonCells(const arrow::DataType& type,
                                                       const JsonStyle& style);

/// Appends text in quotes, escaped; Invalid where it is not UTF-8.
Status AppendJsonText(std::string_view text, bool ascii, std::string* out);

}  // namespace penstock
