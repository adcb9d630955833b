"""Integers in batches of 4,096: the bare loop. Argument: rows."""

import sys

import numpy as np
from report import report

BATCH_ROWS = 4096

count = int(sys.argv[1])
rows, total = 0, 0
for start in range(0, count, BATCH_ROWS):
    doubled = np.arange(start, min(start + BATCH_ROWS, count)) * 2
    rows += len(doubled)
    total += int(doubled.sum())
report(rows=rows, checksum=total)
