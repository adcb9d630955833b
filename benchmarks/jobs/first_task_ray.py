"""From `init` to the first result of a task: Ray. Argument: the number that it returns."""

import sys
import time

import ray
from report import report


@ray.remote
def same(number: int) -> int:
    """Return the number."""
    return number


start = time.perf_counter()
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
result = ray.get(same.remote(int(sys.argv[1])))
seconds = time.perf_counter() - start
report(rows=1, checksum=result, seconds_inside=seconds)
