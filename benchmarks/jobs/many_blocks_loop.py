"""Many small blocks through a class: the bare loop. Arguments: rows, blocks."""

import sys

import numpy as np
from report import report

count, blocks = int(sys.argv[1]), int(sys.argv[2])

rows, total = 0, 0
for block in np.array_split(np.arange(count), blocks):
    doubled = block * 2
    rows += len(doubled)
    total += int(doubled.sum())
report(rows=rows, checksum=total)
