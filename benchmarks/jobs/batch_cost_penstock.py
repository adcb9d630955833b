"""What a batch of one row costs: Penstock with one worker. Argument: batches.

The clock starts with the first batch that comes back, so that the start of the worker is left out.
"""

import sys
import time
from typing import Any

from report import report

import penstock


class Keep:
    """Does nothing."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch."""
        return batch


count = int(sys.argv[1])
dataset = penstock.data.range(count).map_batches(Keep, batch_size=1, concurrency=1)
rows, total, start = 0, 0, 0.0
for batch in dataset.iter_batches(batch_size=None):
    if not rows:
        start, rows_at_start = time.perf_counter(), len(batch["id"])
    rows += len(batch["id"])
    total += int(batch["id"].sum())
seconds = time.perf_counter() - start
cost = seconds / max(1, rows - rows_at_start) * 1e6
report(rows=rows, checksum=total, microseconds_per_batch=cost)
