"""A large array put into shared memory and got again: Ray. Arguments: MiB, times."""

import sys
import time

import numpy as np
import ray
from report import report

mebibytes, times = int(sys.argv[1]), int(sys.argv[2])
array = np.arange(mebibytes << 17, dtype=np.float64)
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
ray.get(ray.put(0))
total = 0.0
start = time.perf_counter()
for _ in range(times):
    total += float(ray.get(ray.put(array))[-1])
seconds = time.perf_counter() - start
report(rows=times, checksum=total, seconds_inside=seconds)
