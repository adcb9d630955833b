"""Memory of an idle runtime: Penstock. Argument: the number that its only task returns."""

import sys

from held_memory import held_mebibytes
from report import report

import penstock


def same(number: int) -> int:
    """Return the number."""
    return number


task = penstock.remote(same)
before = held_mebibytes()
penstock.init(num_cpus=2)
result = penstock.get(task.remote(int(sys.argv[1])))
held = held_mebibytes() - before
penstock.shutdown()
report(rows=1, checksum=result, mebibytes=held)
