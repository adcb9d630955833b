"""Large batches to a worker and back: two copies of each. Arguments: batches, MiB of each."""

import sys
import time

import numpy as np
from report import report

count, size = int(sys.argv[1]), int(sys.argv[2]) << 20
values = np.arange(size // 8)
rows, total = 0, 0
start = 0.0
for _ in range(count):
    returned = values.copy().copy()
    rows += len(returned)
    total += int(returned[0]) + int(returned[-1])
    start = start or time.perf_counter()
seconds = time.perf_counter() - start
report(rows=rows, checksum=total, gigabytes_per_second=(count - 1) * size / seconds / 1e9)
