"""Writes the Parquet files that the taxi jobs read. Arguments: folder, rows, files."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder, rows, files = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(0)
folder.mkdir(parents=True)
borders = [rows * place // files for place in range(files + 1)]
for month, (begin, end) in enumerate(pairwise(borders), start=1):
    count = end - begin
    seconds = np.sort(random.integers(0, 28 * 86_400, count)).astype("timedelta64[s]")
    distance = np.round(random.gamma(2.0, 1.5, count), 2)
    fare = np.round(3.0 + 2.5 * distance + random.normal(0.0, 1.0, count), 2)
    table = pa.table(
        {
            "vendor": random.integers(1, 3, count),
            "pickup": np.datetime64(f"2024-{(month - 1) % 12 + 1:02}-01", "us") + seconds,
            "passengers": random.integers(1, 7, count).astype(np.float64),
            "distance": distance,
            "zone": random.integers(1, 266, count),
            "payment": pa.array(np.array(["card", "cash"])[random.integers(0, 2, count)]),
            "fare": fare,
            "tip": np.round(random.exponential(2.0, count), 2),
        }
    )
    pq.write_table(table, folder / f"month-{month:02}.parquet")
