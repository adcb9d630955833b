"""Aggregates that hold a sketch of the values: they take bounded memory for any data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.consuming.own_aggregate import AggregateFnV2
from penstock.data.consuming.sketches import FrequentValues, QuantileSketch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_CAPACITY_BITS_MAX = 26


class ApproximateQuantile(AggregateFnV2):
    """Find quantiles of numbers, about, in one pass: a list in the order of `quantiles`.

    Args:
        on: the column; nulls and NaN are passed over.
        quantiles: each between 0 and 1.
        quantile_precision: how many numbers each level of the sketch holds; with 800 the rank is
            off by well under 1%.
        alias_name: the key in the result.

    """

    def __init__(
        self,
        on: str,
        quantiles: Sequence[float],
        quantile_precision: int = 800,
        alias_name: str | None = None,
    ) -> None:
        if not quantiles or not all(0 <= q <= 1 for q in quantiles):
            raise ValueError(f"quantiles must be numbers between 0 and 1; got: {quantiles!r}")
        precision = arguments.at_least_one("quantile_precision", quantile_precision)
        self._quantiles = list(quantiles)
        self._precision = max(precision, 2)
        name = alias_name or f"approx_quantile({on})"
        super().__init__(name, self._sketch, on=on, ignore_nulls=True)

    def aggregate_block(self, block: pa.Table) -> QuantileSketch | None:
        """Return the sketch of one block; None where it has no numbers."""
        import numpy as np
        import pyarrow as pa

        column = block.column(self.on)
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            column = column.cast(pa.float64())
        numbers = column.drop_null().to_numpy().astype(np.float64)
        numbers = numbers[~np.isnan(numbers)]
        if len(numbers) == 0:
            return None
        sketch = self._sketch()
        sketch.add(numbers)
        return sketch

    def combine(self, current_accumulator: QuantileSketch, new: QuantileSketch) -> QuantileSketch:
        """Return the sketch of both."""
        current_accumulator.merge(new)
        return current_accumulator

    def finalize(self, accumulator: QuantileSketch) -> list[float] | None:
        """Return the quantiles."""
        return accumulator.quantiles(self._quantiles)

    def _sketch(self) -> QuantileSketch:
        return QuantileSketch(self._precision)


class ApproximateTopK(AggregateFnV2):
    """Find the values that come most often, about: [{column: value, "count": n}, …], most first.

    Args:
        on: the column, of numbers, text, bytes or times; nulls are passed over.
        k: how many.
        log_capacity: 2 ** `log_capacity` values are counted at once. Counts are exact for no more
            different values; otherwise too high by the rows divided by that number at most.
        alias_name: the key in the result.

    """

    def __init__(
        self, on: str, k: int, log_capacity: int = 15, alias_name: str | None = None
    ) -> None:
        self._k = arguments.at_least_one("k", k)
        bits = arguments.at_least_one("log_capacity", log_capacity)
        if bits > _CAPACITY_BITS_MAX:
            raise ValueError(f"log_capacity must be at most {_CAPACITY_BITS_MAX}; got: {bits}")
        self._capacity = max(2**bits, self._k)
        super().__init__(alias_name or f"approx_topk({on})", self._sketch, on=on, ignore_nulls=True)

    def aggregate_block(self, block: pa.Table) -> FrequentValues | None:
        """Return the sketch of one block; None where it has no values."""
        import pyarrow as pa

        sketch = self._sketch()
        column = block.column(self.on)
        try:
            counted = column.drop_null().value_counts()
        except pa.ArrowNotImplementedError:
            raise TypeError(
                f"ApproximateTopK cannot count values of this type; column {self.on!r}: "
                f"{column.type}"
            ) from None
        for pair in counted.to_pylist():
            sketch.add(pair["values"], pair["counts"])
        return sketch if len(counted) else None

    def combine(self, current_accumulator: FrequentValues, new: FrequentValues) -> FrequentValues:
        """Return the sketch of both."""
        current_accumulator.merge(new)
        return current_accumulator

    def finalize(self, accumulator: FrequentValues) -> list[dict[str, Any]]:
        """Return the values and their counts."""
        return [{str(self.on): value, "count": count} for value, count in accumulator.top(self._k)]

    def _sketch(self) -> FrequentValues:
        return FrequentValues(self._capacity)
