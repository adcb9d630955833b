"""Integers in batches of 4,096 through two class workers: Ray. Argument: rows."""

import sys
from typing import Any

import ray
from ray_setup import start_ray
from report import report

count = int(sys.argv[1])
start_ray()


class Double:
    """Doubles the column."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return twice the numbers."""
        return {"id": batch["id"] * 2}


dataset = ray.data.range(count).map_batches(Double, batch_size=4096, concurrency=2)
rows, total = 0, 0
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["id"])
    total += int(batch["id"].sum())
report(rows=rows, checksum=total)
