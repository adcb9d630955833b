"""A linear model over taxi rides, Parquet to Parquet, two workers: Daft. Argument: folder."""

import sys
import tempfile
from typing import Any

import daft
import numpy as np
from daft import DataType, Series
from parquet_mean import parquet_mean
from report import report

COLUMNS = ["passengers", "distance", "fare"]


@daft.cls(max_concurrency=2)
class Model:
    """Predicts the tip."""

    def __init__(self) -> None:
        self.weights = np.array([0.05, 0.2, 0.1])

    @daft.method.batch(return_dtype=DataType.float64(), batch_size=65_536)  # type: ignore[untyped-decorator]
    def tip(self, passengers: Series, distance: Series, fare: Series) -> Any:
        """Return the predictions."""
        columns = [series.to_arrow().to_numpy() for series in (passengers, distance, fare)]
        return np.column_stack(columns) @ self.weights


with tempfile.TemporaryDirectory() as output:
    frame = daft.read_parquet(f"{sys.argv[1]}/*.parquet")
    tips = Model().tip(*[frame[name] for name in COLUMNS])
    frame.select(tips.alias("tip")).write_parquet(f"{output}/tips")
    rows, mean = parquet_mean(f"{output}/tips", "tip")
report(rows=rows, checksum=round(mean, 6))
