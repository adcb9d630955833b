#include "penstock/sink/json_cells.h"

#include <arrow/util/base64.h>
#include <arrow/util/float16.h>

#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include "penstock/sink/json_times.h"

namespace penstock {
namespace {

using Cells = std::unique_ptr<JsonCells>;

template <typename Number>
void AppendNumber(Number number, std::string* out) {
  char text[64];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  out->append(text, end);
}

template <typename Float>
void AppendFloat(Float number, std::string* out) {
  if (!std::isfinite(number)) {
    *out += "null";
    return;
  }
  const size_t begin = out->size();
  AppendNumber(number, out);
  if (out->find_first_of(".e", begin) == std::string::npos) *out += ".0";
}

/// Cells of a type whose values stand alone: `append` gets the array and a row that is not null.
template <typename ArrayType, typename AppendValue>
class ValueCells final : public JsonCells {
 public:
  explicit ValueCells(AppendValue append) : append_(std::move(append)) {}

  void Bind(const arrow::Array& array) override { array_ = static_cast<const ArrayType*>(&array); }

  Status Append(int64_t row, std::string* out) const override {
    if (array_->IsNull(row)) {
      *out += "null";
      return Status::OK();
    }
    if constexpr (std::is_void_v<decltype(append_(*array_, row, out))>) {
      append_(*array_, row, out);
      return Status::OK();
    } else {
      return append_(*array_, row, out);
    }
  }

 private:
  const AppendValue append_;
  const ArrayType* array_ = nullptr;
};

template <typename ArrayType, typename AppendValue>
Cells Values(AppendValue append) {
  return std::make_unique<ValueCells<ArrayType, AppendValue>>(std::move(append));
}

template <typename ArrayType>
Cells Numbers() {
  return Values<ArrayType>([](const ArrayType& array, int64_t row, std::string* out) {
    AppendNumber(array.Value(row), out);
  });
}

template <typename ArrayType>
Cells Floats() {
  return Values<ArrayType>([](const ArrayType& array, int64_t row, std::string* out) {
    AppendFloat(array.Value(row), out);
  });
}

template <typename ArrayType>
Cells Decimals() {
  return Values<ArrayType>([](const ArrayType& array, int64_t row, std::string* out) {
    *out += array.FormatValue(row);
  });
}

template <typename ArrayType>
Cells Texts(const JsonStyle& style) {
  return Values<ArrayType>(
      [ascii = style.ascii](const ArrayType& array, int64_t row, std::string* out) {
        return AppendJsonText(array.GetView(row), ascii, out);
      });
}

template <typename ArrayType>
Cells Bytes() {
  return Values<ArrayType>([](const ArrayType& array, int64_t row, std::string* out) {
    *out += '"';
    *out += arrow::util::base64_encode(array.GetView(row));
    *out += '"';
  });
}

/// Days where `unit` is a second and `ticks_per_day` 1; milliseconds for date64.
template <typename ArrayType>
Cells Dates(const JsonStyle& style, int64_t ticks_per_day) {
  return Values<ArrayType>(
      [style, ticks_per_day](const ArrayType& array, int64_t row, std::string* out) {
        const int64_t ticks = array.Value(row);
        const int64_t day = (ticks - (ticks < 0 ? ticks_per_day - 1 : 0)) / ticks_per_day;
        if (!style.iso_dates) {
          AppendNumber(ToUnit(day * 86'400, arrow::TimeUnit::SECOND, style.unit), out);
          return;
        }
        *out += '"';
        AppendIsoDay(day, out);
        *out += '"';
      });
}

Cells Timestamps(const arrow::DataType& type, const JsonStyle& style) {
  const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
  return Values<arrow::TimestampArray>(
      [style, unit = timestamp.unit(), zoned = !timestamp.timezone().empty()](
          const arrow::TimestampArray& array, int64_t row, std::string* out) {
        if (!style.iso_dates) {
          AppendNumber(ToUnit(array.Value(row), unit, style.unit), out);
          return;
        }
        *out += '"';
        AppendIsoTimestamp(array.Value(row), unit, style.unit, out);
        *out += zoned ? "Z\"" : "\"";
      });
}

template <typename ArrayType>
Cells Times(const arrow::DataType& type) {
  const auto unit = static_cast<const arrow::TimeType&>(type).unit();
  return Values<ArrayType>([unit](const ArrayType& array, int64_t row, std::string* out) {
    *out += '"';
    AppendIsoTime(int64_t{array.Value(row)} * (1'000'000'000 / TicksPerSecond(unit)),
                  FractionDigits(unit), out);
    *out += '"';
  });
}

Cells Durations(const arrow::DataType& type, const JsonStyle& style) {
  const auto unit = static_cast<const arrow::DurationType&>(type).unit();
  return Values<arrow::DurationArray>(
      [unit, to = style.unit](const arrow::DurationArray& array, int64_t row, std::string* out) {
        AppendNumber(ToUnit(array.Value(row), unit, to), out);
      });
}

class NullCells final : public JsonCells {
 public:
  void Bind(const arrow::Array& array) override {}
  Status Append(int64_t row, std::string* out) const override {
    *out += "null";
    return Status::OK();
  }
};

}  // namespace

Result<Cells> MakeJsonCells(const arrow::DataType& type, const JsonStyle& style) {
  switch (type.id()) {
    case arrow::Type::NA:
      return std::make_unique<NullCells>();
    case arrow::Type::BOOL:
      return Values<arrow::BooleanArray>([](const auto& array, int64_t row, std::string* out) {
        *out += array.Value(row) ? "true" : "false";
      });
    case arrow::Type::INT8:
      return Numbers<arrow::Int8Array>();
    case arrow::Type::INT16:
      return Numbers<arrow::Int16Array>();
    case arrow::Type::INT32:
      return Numbers<arrow::Int32Array>();
    case arrow::Type::INT64:
      return Numbers<arrow::Int64Array>();
    case arrow::Type::UINT8:
      return Numbers<arrow::UInt8Array>();
    case arrow::Type::UINT16:
      return Numbers<arrow::UInt16Array>();
    case arrow::Type::UINT32:
      return Numbers<arrow::UInt32Array>();
    case arrow::Type::UINT64:
      return Numbers<arrow::UInt64Array>();
    case arrow::Type::HALF_FLOAT:
      return Values<arrow::HalfFloatArray>([](const auto& array, int64_t row, std::string* out) {
        AppendFloat(arrow::util::Float16::FromBits(array.Value(row)).ToFloat(), out);
      });
    case arrow::Type::FLOAT:
      return Floats<arrow::FloatArray>();
    case arrow::Type::DOUBLE:
      return Floats<arrow::DoubleArray>();
    case arrow::Type::DECIMAL32:
      return Decimals<arrow::Decimal32Array>();
    case arrow::Type::DECIMAL64:
      return Decimals<arrow::Decimal64Array>();
    case arrow::Type::DECIMAL128:
      return Decimals<arrow::Decimal128Array>();
    case arrow::Type::DECIMAL256:
      return Decimals<arrow::Decimal256Array>();
    case arrow::Type::STRING:
      return Texts<arrow::StringArray>(style);
    case arrow::Type::LARGE_STRING:
      return Texts<arrow::LargeStringArray>(style);
    case arrow::Type::STRING_VIEW:
      return Texts<arrow::StringViewArray>(style);
    case arrow::Type::BINARY:
      return Bytes<arrow::BinaryArray>();
    case arrow::Type::LARGE_BINARY:
      return Bytes<arrow::LargeBinaryArray>();
    case arrow::Type::BINARY_VIEW:
      return Bytes<arrow::BinaryViewArray>();
    case arrow::Type::FIXED_SIZE_BINARY:
      return Bytes<arrow::FixedSizeBinaryArray>();
    case arrow::Type::DATE32:
      return Dates<arrow::Date32Array>(style, 1);
    case arrow::Type::DATE64:
      return Dates<arrow::Date64Array>(style, 86'400'000);
    case arrow::Type::TIMESTAMP:
      return Timestamps(type, style);
    case arrow::Type::TIME32:
      return Times<arrow::Time32Array>(type);
    case arrow::Type::TIME64:
      return Times<arrow::Time64Array>(type);
    case arrow::Type::DURATION:
      return Durations(type, style);
    default:
      return MakeNestedJsonCells(type, style);
  }
}

}  // namespace penstock
