"""Tensors of 1 MiB made by one stage and reduced by the next: Daft. Argument: tensors."""

import sys
from typing import Any

import daft
import numpy as np
from daft import DataType, Series
from report import report

BATCH_ROWS = 16
SHAPE = (512, 512)  # Of float32: 1 MiB.

count = int(sys.argv[1])


@daft.cls(max_concurrency=1)
class Make:
    """Makes a tensor for each number."""

    @daft.method.batch(  # type: ignore[untyped-decorator]
        return_dtype=DataType.tensor(DataType.float32(), SHAPE), batch_size=BATCH_ROWS
    )
    def make(self, numbers: Series) -> Any:
        """Return tensors that are filled with the number, modulo 7."""
        column = numbers.to_arrow().to_numpy()
        tensors = np.empty((len(column), *SHAPE), np.float32)
        tensors[:] = (column % 7)[:, None, None]
        return tensors


@daft.cls(max_concurrency=1)
class Reduce:
    """Reduces each tensor to a number."""

    @daft.method.batch(return_dtype=DataType.float64(), batch_size=BATCH_ROWS)  # type: ignore[untyped-decorator]
    def mean(self, tensors: Series) -> Any:
        """Return the mean of each tensor."""
        return tensors.to_arrow().to_numpy_ndarray().mean(axis=(1, 2))


frame = daft.range(count)
frame = frame.select(Make().make(frame["id"]).alias("tensor"))
frame = frame.select(Reduce().mean(frame["tensor"]).alias("mean"))
result = frame.agg(frame["mean"].count().alias("rows"), frame["mean"].sum().alias("sum"))
row = result.to_pylist()[0]
report(rows=row["rows"], checksum=row["sum"])
