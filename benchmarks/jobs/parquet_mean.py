"""What the jobs that write Parquet check of their output, alike for all engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

THREADS = 2


def parquet_mean(path: str, column: str) -> tuple[int, float]:
    """Return the number of rows and a column's mean, read in small pieces.

    So the check costs every engine the same little, and not the whole column held at once:
    however many files there are, each is read by all threads, and neither pandas nor Arrow's
    functions are imported for it.
    """
    files = [Path(path)] if Path(path).is_file() else sorted(Path(path).rglob("*.parquet"))
    shares = [(file, column, share) for file in files for share in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        sums = list(pool.map(_rows_and_sum, shares))
    rows = sum(count for count, _ in sums)
    return rows, sum(total for _, total in sums) / rows


def _rows_and_sum(share: tuple[Path, str, int]) -> tuple[int, float]:
    path, column, number = share
    rows, total = 0, 0.0
    with pq.ParquetFile(path) as file:
        groups = list(range(number, file.num_row_groups, THREADS))
        for batch in file.iter_batches(row_groups=groups, columns=[column]):
            rows += batch.num_rows
            total += float(np.from_dlpack(batch[column]).sum())
    return rows, total
