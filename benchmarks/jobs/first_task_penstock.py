"""From `init` to the first result of a task: Penstock. Argument: the number that it returns."""

import sys
import time

from report import report

import penstock


def same(number: int) -> int:
    """Return the number."""
    return number


task = penstock.remote(same)
start = time.perf_counter()
penstock.init(num_cpus=2)
result = penstock.get(task.remote(int(sys.argv[1])))
seconds = time.perf_counter() - start
report(rows=1, checksum=result, seconds_inside=seconds)
