"""Tensors of 1 MiB made and reduced: the bare loop. Argument: tensors."""

import sys

import numpy as np
from report import report

BATCH_ROWS = 16
SHAPE = (512, 512)  # Of float32: 1 MiB.

count = int(sys.argv[1])
rows, total = 0, 0.0
for start in range(0, count, BATCH_ROWS):
    numbers = np.arange(start, min(start + BATCH_ROWS, count))
    tensors = np.empty((len(numbers), *SHAPE), np.float32)
    tensors[:] = (numbers % 7)[:, None, None]
    means = tensors.mean(axis=(1, 2))
    rows += len(means)
    total += float(means.sum())
report(rows=rows, checksum=total)
