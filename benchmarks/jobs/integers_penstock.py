"""Integers in batches of 4,096 through two class workers: Penstock. Argument: rows."""

import sys
from typing import Any

from report import report

import penstock

count = int(sys.argv[1])


class Double:
    """Doubles the column."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return twice the numbers."""
        return {"id": batch["id"] * 2}


dataset = penstock.data.range(count).map_batches(Double, batch_size=4096, concurrency=2)
rows, total = 0, 0
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["id"])
    total += int(batch["id"].sum())
report(rows=rows, checksum=total)
