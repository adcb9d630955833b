"""A large array put into shared memory and got again: Penstock. Arguments: MiB, times."""

import sys
import time

import numpy as np
from report import report

import penstock

mebibytes, times = int(sys.argv[1]), int(sys.argv[2])
array = np.arange(mebibytes << 17, dtype=np.float64)
penstock.init(num_cpus=2)
penstock.get(penstock.put(0))
total = 0.0
start = time.perf_counter()
for _ in range(times):
    total += float(penstock.get(penstock.put(array))[-1])
seconds = time.perf_counter() - start
report(rows=times, checksum=total, seconds_inside=seconds)
