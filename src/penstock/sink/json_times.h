#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <string>

namespace penstock {

/// Ticks of a unit in one second.
int64_t TicksPerSecond(arrow::TimeUnit::type unit);

/// Brings a count of ticks to another unit, rounding down; saturates where 64 bits do not hold it.
int64_t ToUnit(int64_t ticks, arrow::TimeUnit::type from, arrow::TimeUnit::type to);

/// Appends a day counted from 1970-01-01 as YYYY-MM-DD, of the proleptic Gregorian calendar.
void AppendIsoDay(int64_t day, std::string* out);

/// Appends a time of day as HH:MM:SS and, where `digits` > 0, that many digits of the fraction.
void AppendIsoTime(int64_t nanoseconds, int digits, std::string* out);

/// Appends a timestamp as YYYY-MM-DDTHH:MM:SS with the fraction of `shown`.
void AppendIsoTimestamp(int64_t ticks, arrow::TimeUnit::type unit, arrow::TimeUnit::type shown,
                        std::string* out);

/// Digits of a fraction of a second in a unit: 0, 3, 6 or 9.
int FractionDigits(arrow::TimeUnit::type unit);

}  // namespace penstock
