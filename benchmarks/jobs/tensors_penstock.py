"""Tensors of 1 MiB made by one stage and reduced by the next: Penstock. Argument: tensors."""

import sys
from typing import Any

import numpy as np
from report import report

import penstock

BATCH_ROWS = 16
SHAPE = (512, 512)  # Of float32: 1 MiB.

count = int(sys.argv[1])
penstock.init(memory=512 << 20)


class Make:
    """Makes a tensor for each number."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return tensors that are filled with the number, modulo 7."""
        tensors = np.empty((len(batch["id"]), *SHAPE), np.float32)
        tensors[:] = (batch["id"] % 7)[:, None, None]
        return {"tensor": tensors}


class Reduce:
    """Reduces each tensor to a number."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the mean of each tensor."""
        return {"mean": batch["tensor"].mean(axis=(1, 2))}


dataset = (
    penstock.data.range(count)
    .map_batches(Make, batch_size=BATCH_ROWS, concurrency=1)
    .map_batches(Reduce, batch_size=BATCH_ROWS, concurrency=1)
)
rows, total = 0, 0.0
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["mean"])
    total += float(batch["mean"].sum())
report(rows=rows, checksum=total)
