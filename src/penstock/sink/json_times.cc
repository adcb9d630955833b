#include "penstock/sink/json_times.h"

#include <fmt/format.h>

#include <iterator>
#include <limits>

namespace penstock {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

struct Quotient {
  int64_t whole;
  int64_t rest;  // Never negative.
};

Quotient DivideDown(int64_t value, int64_t by) {
  const int64_t rest = value % by;
  return rest < 0 ? Quotient{value / by - 1, rest + by} : Quotient{value / by, rest};
}

}  // namespace

int64_t TicksPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      return kNanosecondsPerSecond;
  }
  return 1;
}

int FractionDigits(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 0;
    case arrow::TimeUnit::MILLI:
      return 3;
    case arrow::TimeUnit::MICRO:
      return 6;
    case arrow::TimeUnit::NANO:
      return 9;
  }
  return 0;
}

int64_t ToUnit(int64_t ticks, arrow::TimeUnit::type from, arrow::TimeUnit::type to) {
  const int64_t have = TicksPerSecond(from);
  const int64_t want = TicksPerSecond(to);
  if (want <= have) return DivideDown(ticks, have / want).whole;
  const int64_t factor = want / have;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (ticks > kMax / factor) return kMax;
  if (ticks < -kMax / factor) return -kMax;
  return ticks * factor;
}

/// Counts in eras of 400 years that begin on the first of March, so that leap days come last.
void AppendIsoDay(int64_t day, std::string* out) {
  const auto [era, day_of_era] = DivideDown(day + 719'468, 146'097);
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  fmt::format_to(std::back_inserter(*out), "{:04}-{:02}-{:02}", year, month, day_of_month);
}

void AppendIsoTime(int64_t nanoseconds, int digits, std::string* out) {
  const auto [seconds, fraction] = DivideDown(nanoseconds, kNanosecondsPerSecond);
  fmt::format_to(std::back_inserter(*out), "{:02}:{:02}:{:02}", seconds / 3'600, seconds / 60 % 60,
                 seconds % 60);
  if (digits == 0) return;
  *out += fmt::format(".{:09}", fraction).substr(0, static_cast<size_t>(digits) + 1);
}

void AppendIsoTimestamp(int64_t ticks, arrow::TimeUnit::type unit, arrow::TimeUnit::type shown,
                        std::string* out) {
  const auto [seconds, fraction] = DivideDown(ticks, TicksPerSecond(unit));
  const auto [day, second_of_day] = DivideDown(seconds, kSecondsPerDay);
  AppendIsoDay(day, out);
  *out += 'T';
  const int64_t nanoseconds = fraction * (kNanosecondsPerSecond / TicksPerSecond(unit));
  AppendIsoTime(second_of_day * kNanosecondsPerSecond + nanoseconds, FractionDigits(shown), out);
}

}  // namespace penstock
