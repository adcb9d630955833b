"""What a batch of one row costs: the bare loop. Argument: batches."""

import sys
import time
from typing import Any

import numpy as np
from report import report


def keep(batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """Do nothing."""
    return batch


count = int(sys.argv[1])
numbers = np.arange(count)
rows, total = 0, 0
start = time.perf_counter()
for number in range(count):
    batch = keep({"id": numbers[number : number + 1]})
    rows += len(batch["id"])
    total += int(batch["id"][0])
seconds = time.perf_counter() - start
report(rows=rows, checksum=total, microseconds_per_batch=seconds / count * 1e6)
