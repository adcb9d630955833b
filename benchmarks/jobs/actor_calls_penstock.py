"""Calls of two actors, all submitted, then all got: Penstock. Argument: calls."""

import sys
import time

from report import report

import penstock


class Counter:
    """Adds up."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._total = 0

    def add(self, number: int) -> int:
        """Return the sum so far."""
        self._total += number
        return self._total


count = int(sys.argv[1])
penstock.init(num_cpus=2)
actor = penstock.remote(Counter)
counters = [actor.remote(), actor.remote()]
penstock.get([counter.add.remote(0) for counter in counters])
start = time.perf_counter()
results = penstock.get([counters[number % 2].add.remote(1) for number in range(count)])
seconds = time.perf_counter() - start
report(rows=len(results), checksum=sum(results), seconds_inside=seconds)
