"""A Python function called for each row: Penstock. Argument: rows."""

import sys
from typing import Any

from report import report

import penstock

count = int(sys.argv[1])


def double(row: dict[str, Any]) -> dict[str, Any]:
    """Return twice the number."""
    return {"id": row["id"] * 2}


rows, total = 0, 0
for batch in penstock.data.range(count).map(double).iter_batches(batch_size=None):
    rows += len(batch["id"])
    total += int(batch["id"].sum())
report(rows=rows, checksum=total)
