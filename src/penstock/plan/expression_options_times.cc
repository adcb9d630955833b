#include <arrow/compute/api_scalar.h>

#include <limits>
#include <string>

#include "penstock/plan/expression_option_readers.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

FunctionOptionsResult ReadRoundTemporal(OptionReader& reader) {
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
  return MakeOptions<compute::RoundTemporalOptions>(static_cast<int>(multiple), unit, monday,
                                                    greater, calendar);
}

FunctionOptionsResult ReadStrftime(OptionReader& reader) {
  PENSTOCK_TRY(std::string format, reader.Text("format", compute::StrftimeOptions::kDefaultFormat));
  PENSTOCK_TRY(std::string locale, reader.Text("locale", "C"));
  return MakeOptions<compute::StrftimeOptions>(std::move(format), std::move(locale));
}

FunctionOptionsResult ReadStrptime(OptionReader& reader) {
  using Unit = arrow::TimeUnit;
  static const Choices<Unit::type> kUnits = {
      {"s", Unit::SECOND}, {"ms", Unit::MILLI}, {"us", Unit::MICRO}, {"ns", Unit::NANO}};
  PENSTOCK_TRY(std::string format, RequiredText(reader, "format"));
  PENSTOCK_TRY(const auto unit, OneOf(reader, "unit", kUnits, Unit::MICRO));
  PENSTOCK_TRY(const bool error_is_null, reader.Bool("error_is_null", false));
  return MakeOptions<compute::StrptimeOptions>(std::move(format), unit, error_is_null);
}

FunctionOptionsResult ReadDayOfWeek(OptionReader& reader) {
  PENSTOCK_TRY(const bool from_zero, reader.Bool("count_from_zero", true));
  PENSTOCK_TRY(const int64_t start, reader.Integer("week_start", 1, 1));
  if (start > 7) return reader.Wrong("week_start", "1 (Monday) to 7 (Sunday)");
  return MakeOptions<compute::DayOfWeekOptions>(from_zero, static_cast<uint32_t>(start));
}

FunctionOptionsResult ReadWeek(OptionReader& reader) {
  PENSTOCK_TRY(const bool monday, reader.Bool("week_starts_monday", true));
  PENSTOCK_TRY(const bool from_zero, reader.Bool("count_from_zero", false));
  PENSTOCK_TRY(const bool whole, reader.Bool("first_week_is_fully_in_year", false));
  return MakeOptions<compute::WeekOptions>(monday, from_zero, whole);
}

FunctionOptionsResult ReadAssumeTimezone(OptionReader& reader) {
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
  return MakeOptions<Zone>(std::move(zone), twice, never);
}

}  // namespace

const OptionReaders& TimeOptionReaders() {
  static const OptionReaders readers = {
      {"assume_timezone", ReadAssumeTimezone},
      {"ceil_temporal", ReadRoundTemporal},
      {"day_of_week", ReadDayOfWeek},
      {"floor_temporal", ReadRoundTemporal},
      {"round_temporal", ReadRoundTemporal},
      {"strftime", ReadStrftime},
      {"strptime", ReadStrptime},
      {"week", ReadWeek},
      {"weeks_between", ReadDayOfWeek},
  };
  return readers;
}

}  // namespace penstock
