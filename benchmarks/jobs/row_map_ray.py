"""A Python function called for each row: Ray. Argument: rows."""

import sys
from typing import Any

import ray
from ray_setup import start_ray
from report import report

count = int(sys.argv[1])
start_ray()


def double(row: dict[str, Any]) -> dict[str, Any]:
    """Return twice the number."""
    return {"id": row["id"] * 2}


rows, total = 0, 0
for batch in ray.data.range(count).map(double).iter_batches(batch_size=None):
    rows += len(batch["id"])
    total += int(batch["id"].sum())
report(rows=rows, checksum=total)
