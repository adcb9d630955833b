"""Integers in batches of 4,096 through two class workers: Daft. Argument: rows."""

import sys
from typing import Any

import daft
from daft import DataType, Series
from report import report

count = int(sys.argv[1])


@daft.cls(max_concurrency=2)
class Double:
    """Doubles the column."""

    @daft.method.batch(return_dtype=DataType.int64(), batch_size=4096)  # type: ignore[untyped-decorator]
    def double(self, numbers: Series) -> Any:
        """Return twice the numbers."""
        return numbers.to_arrow().to_numpy() * 2


frame = daft.range(count)
frame = frame.select(Double().double(frame["id"]).alias("id"))
result = frame.agg(frame["id"].count().alias("rows"), frame["id"].sum().alias("sum"))
row = result.to_pylist()[0]
report(rows=row["rows"], checksum=row["sum"])
