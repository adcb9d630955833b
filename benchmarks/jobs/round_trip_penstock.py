"""How long a batch of 1 KiB takes to a worker and back: Penstock. Argument: batches."""

import sys

import numpy as np
from report import report
from round_trip import BATCH_ROWS, Keep

import penstock

one_at_once = penstock.data.ActorPoolStrategy(size=1, max_tasks_in_flight_per_actor=1)
dataset = penstock.data.range(int(sys.argv[1]) * BATCH_ROWS).map_batches(
    Keep, batch_size=BATCH_ROWS, compute=one_at_once
)
rows, total = 0, 0
trips: list[float] = []
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["id"])
    total += int(batch["id"].sum())
    trips.append(float(batch["microseconds"][0]))
report(rows=rows, checksum=total, microseconds_per_batch=float(np.median(trips)))
