"""Many small blocks through two class workers: Penstock. Arguments: rows, blocks."""

import sys
from typing import Any

import numpy as np
from report import report

import penstock

count, blocks = int(sys.argv[1]), int(sys.argv[2])


class Double:
    """Doubles the column."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return twice the numbers."""
        return {"data": batch["data"] * 2}


dataset = penstock.data.from_numpy(np.arange(count)).repartition(blocks)
rows, total = 0, 0
for batch in dataset.map_batches(Double, concurrency=2).iter_batches(batch_size=None):
    rows += len(batch["data"])
    total += int(batch["data"].sum())
report(rows=rows, checksum=total)
