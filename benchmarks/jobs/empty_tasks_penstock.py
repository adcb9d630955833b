"""Empty tasks, all submitted, then all got: Penstock. Argument: tasks."""

import sys
import time

from report import report

import penstock


def increase(number: int) -> int:
    """Return the next number."""
    return number + 1


count = int(sys.argv[1])
task = penstock.remote(increase)
penstock.init(num_cpus=2)
penstock.get([task.remote(0) for _ in range(10)])
start = time.perf_counter()
results = penstock.get([task.remote(number) for number in range(count)])
seconds = time.perf_counter() - start
report(rows=len(results), checksum=sum(results), seconds_inside=seconds)
