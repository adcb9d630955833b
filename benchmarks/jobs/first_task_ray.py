"""From `init` to the first result of a task: Ray. Argument: the number that it returns."""

import sys
import time

import ray
from report import report


def same(number: int) -> int:
    """Return the number."""
    return number


task = ray.remote(same)
start = time.perf_counter()
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
result = ray.get(task.remote(int(sys.argv[1])))
seconds = time.perf_counter() - start
report(rows=1, checksum=result, seconds_inside=seconds)
