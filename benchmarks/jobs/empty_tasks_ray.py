"""Empty tasks, all submitted, then all got: Ray. Argument: tasks."""

import sys
import time

import ray
from report import report


def increase(number: int) -> int:
    """Return the next number."""
    return number + 1


count = int(sys.argv[1])
task = ray.remote(increase)
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
ray.get([task.remote(0) for _ in range(10)])
start = time.perf_counter()
results = ray.get([task.remote(number) for number in range(count)])
seconds = time.perf_counter() - start
report(rows=len(results), checksum=sum(results), seconds_inside=seconds)
