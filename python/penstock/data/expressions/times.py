"""The functions of dates and times: `col("a").dt`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from penstock.data.expressions.node import Namespace, call

if TYPE_CHECKING:
    from penstock.data.expressions.node import Expr

    Unit = Literal[
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
        "microsecond",
        "nanosecond",
    ]

_DIFFERENCES = frozenset(
    {
        "year",
        "quarter",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
        "microsecond",
        "nanosecond",
    }
)


class DatetimeNamespace(Namespace):
    """Functions of dates and times; of a time with a zone, they see the local time."""

    __slots__ = ()

    def year(self) -> Expr:
        """Return the year."""
        return call("year", self._expr)

    def quarter(self) -> Expr:
        """Return the quarter of the year, from 1."""
        return call("quarter", self._expr)

    def month(self) -> Expr:
        """Return the month, from 1."""
        return call("month", self._expr)

    def week(self) -> Expr:
        """Return the week of the year by ISO 8601."""
        return call("iso_week", self._expr)

    def day(self) -> Expr:
        """Return the day of the month."""
        return call("day", self._expr)

    def day_of_year(self) -> Expr:
        """Return the day of the year, from 1."""
        return call("day_of_year", self._expr)

    def day_of_week(self, *, count_from_zero: bool = True, week_start: int = 1) -> Expr:
        """Return the day of the week: 0 for Monday. `week_start` is 1 for Monday, 7 for Sunday."""
        return call(
            "day_of_week", self._expr, count_from_zero=count_from_zero, week_start=week_start
        )

    def is_leap_year(self) -> Expr:
        """Return whether the year is a leap year."""
        return call("is_leap_year", self._expr)

    def hour(self) -> Expr:
        """Return the hour."""
        return call("hour", self._expr)

    def minute(self) -> Expr:
        """Return the minute."""
        return call("minute", self._expr)

    def second(self) -> Expr:
        """Return the second, without its fraction."""
        return call("second", self._expr)

    def millisecond(self) -> Expr:
        """Return the milliseconds of the second."""
        return call("millisecond", self._expr)

    def microsecond(self) -> Expr:
        """Return the microseconds of the millisecond."""
        return call("microsecond", self._expr)

    def nanosecond(self) -> Expr:
        """Return the nanoseconds of the microsecond."""
        return call("nanosecond", self._expr)

    def strftime(self, fmt: str) -> Expr:
        """Return the time as text, by a format such as "%Y-%m-%d"."""
        return call("strftime", self._expr, format=fmt)

    def floor(self, unit: Unit, multiple: int = 1) -> Expr:
        """Return the time rounded down to a multiple of the unit."""
        return call("floor_temporal", self._expr, unit=unit, multiple=multiple)

    def ceil(self, unit: Unit, multiple: int = 1) -> Expr:
        """Return the time rounded up to a multiple of the unit."""
        return call("ceil_temporal", self._expr, unit=unit, multiple=multiple)

    def round(self, unit: Unit, multiple: int = 1) -> Expr:
        """Return the time rounded to the nearest multiple of the unit."""
        return call("round_temporal", self._expr, unit=unit, multiple=multiple)

    def until(self, other: object, unit: Unit = "day") -> Expr:
        """Return how many borders of the unit lie between this time and the other, later one."""
        if unit not in _DIFFERENCES:
            known = ", ".join(sorted(_DIFFERENCES))
            raise ValueError(f"unit must be one of {known}; got: {unit!r}")
        return call(f"{unit}s_between", self._expr, other)

    def assume_timezone(
        self,
        timezone: str,
        *,
        ambiguous: Literal["raise", "earliest", "latest"] = "raise",
        nonexistent: Literal["raise", "earliest", "latest"] = "raise",
    ) -> Expr:
        """Return the moment that a local time is in a zone such as "Europe/Berlin"."""
        return call(
            "assume_timezone",
            self._expr,
            timezone=timezone,
            ambiguous=ambiguous,
            nonexistent=nonexistent,
        )

    def local_timestamp(self) -> Expr:
        """Return the local time of a moment with a zone, without the zone."""
        return call("local_timestamp", self._expr)
