"""Large batches to a worker and back: Penstock. Arguments: batches, MiB of each.

The clock starts with the first batch that comes back, so that the start of the worker is left out.
"""

import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
from report import report

import penstock


class Keep:
    """Does nothing."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch."""
        return batch


count, size = int(sys.argv[1]), int(sys.argv[2]) << 20
table = pa.table({"value": np.arange(size // 8)})
dataset = penstock.data.from_arrow([table] * count).map_batches(
    Keep, batch_size=table.num_rows, concurrency=1
)
rows, total = 0, 0
start = 0.0
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["value"])
    total += int(batch["value"][0]) + int(batch["value"][-1])
    start = start or time.perf_counter()
seconds = time.perf_counter() - start
report(rows=rows, checksum=total, gigabytes_per_second=(count - 1) * size / seconds / 1e9)
