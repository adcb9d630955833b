"""Memory of an idle runtime: Ray. Argument: the number that its only task returns."""

import sys

import ray
from held_memory import held_mebibytes
from report import report


def same(number: int) -> int:
    """Return the number."""
    return number


task = ray.remote(same)
before = held_mebibytes()
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
result = ray.get(task.remote(int(sys.argv[1])))
held = held_mebibytes() - before
ray.shutdown()
report(rows=1, checksum=result, mebibytes=held)
