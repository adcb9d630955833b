"""What the jobs that write Parquet check of their output, alike for all engines."""

from __future__ import annotations

import pyarrow.compute as pc
import pyarrow.dataset as pads


def parquet_mean(path: str, column: str) -> tuple[int, float]:
    """Return the number of rows and a column's mean, read in small pieces.

    So the check costs every engine the same little, and not the whole column held at once.
    """
    rows, total = 0, 0.0
    for batch in pads.dataset(path).to_batches(columns=[column]):
        rows += batch.num_rows
        total += pc.sum(batch[column]).as_py() or 0.0
    return rows, total / rows
