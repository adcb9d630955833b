"""How long a batch of 1 KiB takes to a worker and back: the bare loop. Argument: batches."""

import sys

import numpy as np
from report import report
from round_trip import BATCH_ROWS, Keep

keep = Keep()
rows, total = 0, 0
trips: list[float] = []
for start in range(0, int(sys.argv[1]) * BATCH_ROWS, BATCH_ROWS):
    batch = keep({"id": np.arange(start, start + BATCH_ROWS)})
    rows += len(batch["id"])
    total += int(batch["id"].sum())
    trips.append(float(batch["microseconds"][0]))
report(rows=rows, checksum=total, microseconds_per_batch=float(np.median(trips)))
