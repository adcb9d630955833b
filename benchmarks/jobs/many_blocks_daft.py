"""Many small blocks through two class workers: Daft. Arguments: rows, blocks.

Daft's runner for one machine cannot repartition; the batch size stands for the blocks.
"""

import sys
from typing import Any

import daft
import numpy as np
from daft import DataType, Series
from report import report

count, blocks = int(sys.argv[1]), int(sys.argv[2])


@daft.cls(max_concurrency=2)
class Double:
    """Doubles the column."""

    @daft.method.batch(return_dtype=DataType.int64(), batch_size=count // blocks)  # type: ignore[untyped-decorator]
    def double(self, numbers: Series) -> Any:
        """Return twice the numbers."""
        return numbers.to_arrow().to_numpy() * 2


frame = daft.from_pydict({"data": np.arange(count)})
frame = frame.select(Double().double(frame["data"]).alias("data"))
result = frame.agg(frame["data"].count().alias("rows"), frame["data"].sum().alias("sum"))
row = result.to_pylist()[0]
report(rows=row["rows"], checksum=row["sum"])
