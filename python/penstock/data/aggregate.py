"""What `Dataset.aggregate` can be asked for: Ray's aggregates by their names.

The engine computes the built-in ones in one pass, in C++. Nulls are passed over unless
`ignore_nulls` is False; then one null makes a sum, mean, std, min or max None. NaN is a value: it
makes sums and means NaN, while min and max pass over it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.consuming.approximate import ApproximateQuantile, ApproximateTopK
from penstock.data.consuming.own_aggregate import Aggregate, AggregateFn, AggregateFnV2

if TYPE_CHECKING:
    from penstock._core import AggregateSpec, Block


__all__ = [
    "AbsMax",
    "Aggregate",
    "AggregateFn",
    "AggregateFnV2",
    "ApproximateQuantile",
    "ApproximateTopK",
    "AsList",
    "Count",
    "CountDistinct",
    "EngineAggregate",
    "Max",
    "Mean",
    "Min",
    "MissingValuePercentage",
    "Quantile",
    "Std",
    "Sum",
    "Unique",
    "ValueCounter",
    "ZeroPercentage",
]


class EngineAggregate(Aggregate):
    """An aggregate that the engine computes; the base of the built-in ones."""

    kind: str
    name_in_result: str

    def __init__(
        self, on: str | None, alias_name: str | None, *, ignore_nulls: bool, ddof: int = 1
    ) -> None:
        if on is None and self.kind != "count":
            raise ValueError(f"{type(self).__name__} needs a column to aggregate `on`; got: {on}")
        super().__init__(alias_name or f"{self.name_in_result}({on or ''})", on)
        self._ignore_nulls = ignore_nulls
        self._ddof = ddof

    def spec(self) -> AggregateSpec:
        """Return what the engine is asked."""
        from penstock._core import AggregateSpec

        return AggregateSpec(self.kind, self.on, ignore_nulls=self._ignore_nulls, ddof=self._ddof)

    def result(self, value: float | Block | None) -> Any:
        """Return what the user gets for the engine's value."""
        from penstock._core import Block

        return values_of(value)[0] if isinstance(value, Block) else value


class Count(EngineAggregate):
    """Count rows, or the values of a column; nulls count unless `ignore_nulls`."""

    kind = name_in_result = "count"

    def __init__(
        self,
        on: str | None = None,
        ignore_nulls: bool = False,  # noqa: FBT001, FBT002 - Ray's
        alias_name: str | None = None,
    ) -> None:
        super().__init__(on, alias_name, ignore_nulls=ignore_nulls)


class _Plain(EngineAggregate):
    """An aggregate whose arguments are a column, `ignore_nulls` and a name."""

    def __init__(
        self,
        on: str | None = None,
        ignore_nulls: bool = True,  # noqa: FBT001, FBT002 - Ray's
        alias_name: str | None = None,
    ) -> None:
        super().__init__(on, alias_name, ignore_nulls=ignore_nulls)


class Sum(_Plain):
    """Sum numbers; integers exactly, however large the sum."""

    kind = name_in_result = "sum"


class Min(_Plain):
    """Find the smallest value of anything that has an order."""

    kind = name_in_result = "min"


class Max(_Plain):
    """Find the largest value of anything that has an order."""

    kind = name_in_result = "max"


class Mean(_Plain):
    """Compute the mean of numbers."""

    kind = name_in_result = "mean"


class AbsMax(_Plain):
    """Find the largest absolute value of numbers."""

    kind = name_in_result = "abs_max"


class Std(EngineAggregate):
    """Compute the standard deviation of numbers, dividing by their count less `ddof`."""

    kind = name_in_result = "std"

    def __init__(
        self,
        on: str | None = None,
        ddof: int = 1,
        ignore_nulls: bool = True,  # noqa: FBT001, FBT002 - Ray's
        alias_name: str | None = None,
    ) -> None:
        super().__init__(on, alias_name, ignore_nulls=ignore_nulls, ddof=ddof)


class CountDistinct(_Plain):
    """Count the different values. Holds them all: at most 256 MiB."""

    kind = name_in_result = "count_distinct"


class Unique(_Plain):
    """List the different values as they first come. Holds them all: at most 256 MiB."""

    kind = name_in_result = "unique"

    def result(self, value: float | Block | None) -> Any:
        """Return the values."""
        return values_of(value)


class AsList(_Plain):
    """List all values in order. Holds them all: at most 256 MiB."""

    kind = name_in_result = "list"

    def __init__(
        self,
        on: str,
        alias_name: str | None = None,
        ignore_nulls: bool = False,  # noqa: FBT001, FBT002 - Ray's
    ) -> None:
        super().__init__(on, ignore_nulls, alias_name)

    def result(self, value: float | Block | None) -> Any:
        """Return the values."""
        return values_of(value)


class ValueCounter(EngineAggregate):
    """Count how often each value is there: {"values": […], "counts": […]}; at most 256 MiB."""

    kind = "value_counts"
    name_in_result = "value_counter"

    def __init__(
        self,
        on: str,
        ignore_nulls: bool = True,  # noqa: FBT001, FBT002 - Ray's
        alias_name: str | None = None,
    ) -> None:
        super().__init__(on, alias_name, ignore_nulls=ignore_nulls)

    def result(self, value: float | Block | None) -> Any:
        """Return values and counts beside each other."""
        pairs = values_of(value)
        return {
            "values": [pair["value"] for pair in pairs],
            "counts": [pair["count"] for pair in pairs],
        }


class Quantile(EngineAggregate):
    """Find a quantile, between two values by their distance. Holds all values: at most 256 MiB."""

    kind = "list"
    name_in_result = "quantile"

    def __init__(
        self,
        on: str | None = None,
        q: float = 0.5,
        ignore_nulls: bool = True,  # noqa: FBT001, FBT002 - Ray's
        alias_name: str | None = None,
    ) -> None:
        if not 0 <= q <= 1:
            raise ValueError(f"q must lie between 0 and 1; got: {q}")
        super().__init__(on, alias_name, ignore_nulls=ignore_nulls)
        self._q = q

    def result(self, value: float | Block | None) -> Any:
        """Return the quantile; None where there are no values, or a null that counts."""
        import numpy as np

        values = values_of(value)
        if not values or None in values:
            return None
        return float(np.quantile(values, self._q))


class MissingValuePercentage(EngineAggregate):
    """Compute how many values are null or NaN, in percent."""

    kind = "missing_share"
    name_in_result = "missing_pct"

    def __init__(self, on: str, alias_name: str | None = None) -> None:
        super().__init__(on, alias_name, ignore_nulls=False)


class ZeroPercentage(_Plain):
    """Compute how many numbers are 0, in percent."""

    kind = "zero_share"
    name_in_result = "zero_pct"


def values_of(value: float | Block | None) -> list[Any]:
    """Return the values that the engine gathered."""
    from penstock._core import Block
    from penstock.data import blocks

    if not isinstance(value, Block):
        return []
    return [row["value"] for row in blocks.to_rows(value)]
