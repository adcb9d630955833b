"""Verbs that aggregate a whole data set: sum, min, max, mean, std, unique, aggregate, summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.aggregate import (
    Aggregate,
    AggregateFn,
    AggregateFnV2,
    EngineAggregate,
    Max,
    Mean,
    Min,
    Std,
    Sum,
    Unique,
)
from penstock.data.consuming.verbs import ConsumeVerbs
from penstock.exceptions import MissingColumnError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from penstock._core import Block
    from penstock.data.consuming.summary import DatasetSummary

    Columns = str | list[str] | None


class AggregateVerbs(ConsumeVerbs):
    """Each runs the data set in one pass, reading only the columns that it needs.

    `on` names a column, several, or with None all of them. One column gives its value, several a
    dict with keys like "sum(a)". A data set without rows gives None.
    """

    def aggregate(self, *aggs: Aggregate) -> dict[str, Any] | None:
        """Return {name: value} of the aggregates; None for a data set without rows.

        Raises:
            MissingColumnError: a column is not there.
            TypeError: its values cannot be aggregated so.

        """
        for agg in aggs:
            if not isinstance(agg, Aggregate):
                raise TypeError(f"aggregate needs aggregates such as Sum('a'); got: {agg!r}")
        names = [agg.name for agg in aggs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"Aggregates need different names; give an alias_name to: {name}")
        if not aggs:
            raise ValueError("aggregate needs at least one aggregate")
        values = self._aggregated(aggs)
        return None if values is None else dict(zip(names, values, strict=True))

    def sum(self, on: Columns = None, ignore_nulls: bool = True) -> Any:  # noqa: FBT001, FBT002 - Ray's
        """Return the sum of numbers; integers exactly."""
        return self._on_columns(on, lambda column: Sum(column, ignore_nulls))

    def min(self, on: Columns = None, ignore_nulls: bool = True) -> Any:  # noqa: FBT001, FBT002 - Ray's
        """Return the smallest value."""
        return self._on_columns(on, lambda column: Min(column, ignore_nulls))

    def max(self, on: Columns = None, ignore_nulls: bool = True) -> Any:  # noqa: FBT001, FBT002 - Ray's
        """Return the largest value."""
        return self._on_columns(on, lambda column: Max(column, ignore_nulls))

    def mean(self, on: Columns = None, ignore_nulls: bool = True) -> Any:  # noqa: FBT001, FBT002 - Ray's
        """Return the mean of numbers."""
        return self._on_columns(on, lambda column: Mean(column, ignore_nulls))

    def std(self, on: Columns = None, ddof: int = 1, ignore_nulls: bool = True) -> Any:  # noqa: FBT001, FBT002 - Ray's
        """Return the standard deviation of numbers; NaN where there are not more than `ddof`."""
        return self._on_columns(on, lambda column: Std(column, ddof, ignore_nulls))

    def unique(self, column: str, ignore_nulls: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 - Ray's
        """Return the different values of a column, in the order in which they first come.

        Raises:
            OutOfMemoryError: they take more than 256 MiB.

        """
        values = self._aggregated([Unique(column, ignore_nulls)])
        return [] if values is None else list(values[0])

    def summary(
        self,
        columns: list[str] | None = None,
        override_dtype_agg_mapping: Mapping[Any, Callable[[str], Sequence[Aggregate]]]
        | None = None,
    ) -> DatasetSummary:
        """Return counts, extremes, means, deviations, missing and zero values of each column.

        `override_dtype_agg_mapping` has, for some types (a `DataType` or a pyarrow type), what
        makes the aggregates of a column of that type instead: a function of the column's name.
        """
        from penstock.data.consuming.summary import summarise

        schema = self.schema()
        if schema is None:
            raise ValueError("There is nothing to summarise: the data set has no rows")
        return summarise(self, schema, columns, override_dtype_agg_mapping or {})

    def _on_columns(self, on: Columns, make: Callable[[str], Aggregate]) -> Any:
        if on is None:
            names = self.columns()
            if names is None:
                return None
        else:
            names = arguments.column_list("on", on)
        if not names:
            raise ValueError("At least one column to aggregate on must be given")
        result = self.aggregate(*(make(name) for name in names))
        return result[next(iter(result))] if result is not None and len(result) == 1 else result

    def _aggregated(self, aggs: Sequence[Aggregate]) -> list[Any] | None:
        """Return a value for each; None for a data set without rows."""
        try:
            return self._run_aggregates(aggs)
        except MissingColumnError:
            if self._plan.count_if_known() == 0:
                return None
            raise

    def _run_aggregates(self, aggs: Sequence[Aggregate]) -> list[Any] | None:
        from penstock._core import Aggregation

        native = [agg for agg in aggs if isinstance(agg, EngineAggregate)]
        own = [agg for agg in aggs if isinstance(agg, (AggregateFn, AggregateFnV2))]
        if all(isinstance(agg, EngineAggregate) and agg.on is None for agg in aggs):
            rows = self.count()
            return [rows] * len(aggs) if rows else None
        columns = list(dict.fromkeys(agg.on for agg in aggs if agg.on is not None))
        plan = self._plan
        if columns and all(agg.on is not None for agg in own):
            plan = plan.project([(name, name) for name in columns])
        engine = Aggregation([agg.spec() for agg in native])
        known = {agg.name: agg.start() for agg in own}
        for block in self._run(plan).blocks():
            engine.add(block)
            if own and block.num_rows:
                table = _table(block)
                known.update({agg.name: agg.step(known[agg.name], table) for agg in own})
        if engine.rows == 0:
            return None
        values = {
            agg.name: agg.result(value) for agg, value in zip(native, engine.finish(), strict=True)
        }
        values.update({agg.name: agg.finish(known[agg.name]) for agg in own})
        return [values[agg.name] for agg in aggs]


def _table(block: Block) -> pa.Table:
    from penstock.data import blocks

    return blocks.to_arrow(block)
