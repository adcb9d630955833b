"""`DatasetSummary`: figures of each column, as `Dataset.summary` finds them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from penstock.data import aggregate
from penstock.data.optional import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from penstock.data.consuming.aggregating import AggregateVerbs
    from penstock.data.schema import Schema

_STATISTIC = "statistic"


@dataclasses.dataclass(frozen=True)
class DatasetSummary:
    """Figures of a data set. `statistics` has {column: {statistic: value}}."""

    dataset_schema: Schema
    columns: list[str]
    statistics: dict[str, dict[str, Any]]

    def get_column_stats(self, column: str) -> pd.DataFrame:
        """Return one column's figures: a row for each statistic.

        Raises:
            ImportError: pandas is not installed.
            ValueError: it was not summarised.

        """
        require("pandas", extra="pandas", needed_by="get_column_stats")
        import pandas as pd

        if column not in self.statistics:
            raise ValueError(
                f"There are no figures of this column; there are of {', '.join(self.columns)}; "
                f"got: {column}"
            )
        figures = self.statistics[column]
        return pd.DataFrame({_STATISTIC: list(figures), "value": list(figures.values())})

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each statistic and a column for each column; None where it has none.

        Raises:
            ImportError: pandas is not installed.

        """
        require("pandas", extra="pandas", needed_by="DatasetSummary.to_pandas")
        import pandas as pd

        names = sorted({name for figures in self.statistics.values() for name in figures})
        table: dict[str, list[Any]] = {_STATISTIC: list(names)}
        for column, figures in self.statistics.items():
            table[column] = [figures.get(name) for name in names]
        return pd.DataFrame(table)

    def __repr__(self) -> str:
        lines = [
            f"{column}: " + ", ".join(f"{name}={value}" for name, value in figures.items())
            for column, figures in self.statistics.items()
        ]
        return "\n".join(lines)


def summarise(
    dataset: AggregateVerbs,
    schema: Schema,
    columns: list[str] | None,
    by_type: Mapping[Any, Callable[[str], Sequence[aggregate.Aggregate]]],
) -> DatasetSummary:
    """Find the figures that each column's type allows, all in one pass.

    Raises:
        ValueError: a column that is not there.

    """
    from penstock.data.datatype import type_text

    own = {type_text(kind): make for kind, make in by_type.items()}
    types = dict(zip(schema.names, schema.types, strict=True))
    wanted = schema.names if columns is None else list(columns)
    for name in wanted:
        if name not in types:
            raise ValueError(f"The data set has the columns {', '.join(types)}; got: {name}")
    asked: list[aggregate.Aggregate] = []
    keys: list[tuple[str, str]] = []
    for column in wanted:
        make = own.get(str(types[column]))
        for agg in make(column) if make else _aggregates_for(types[column], column):
            statistic = agg.name.partition("(")[0]
            agg.name = f"{statistic}({column})"
            asked.append(agg)
            keys.append((column, statistic))
    found = (dataset.aggregate(*asked) if asked else None) or {}
    statistics: dict[str, dict[str, Any]] = {column: {} for column in wanted}
    for agg, (column, statistic) in zip(asked, keys, strict=True):
        statistics[column][statistic] = found.get(agg.name)
    return DatasetSummary(schema, wanted, statistics)


def _aggregates_for(kind: Any, column: str) -> list[aggregate.Aggregate]:
    import pyarrow as pa

    shown: list[aggregate.Aggregate] = [
        aggregate.Count(column),
        aggregate.MissingValuePercentage(column),
    ]
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if is_number or pa.types.is_temporal(kind) or pa.types.is_string(kind):
        shown += [aggregate.Min(column), aggregate.Max(column)]
    if is_number or pa.types.is_boolean(kind):
        shown += [aggregate.Mean(column), aggregate.Std(column), aggregate.ZeroPercentage(column)]
    return shown
