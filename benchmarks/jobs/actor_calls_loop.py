"""Calls answered by two processes, in order: a pool's `map` in chunks. Argument: calls."""

import multiprocessing
import sys
import time

from report import report


def half(number: int) -> int:
    """Return what a counter that takes turns with another has by now."""
    return number // 2 + 1


if __name__ == "__main__":
    count = int(sys.argv[1])
    with multiprocessing.get_context("forkserver").Pool(2) as pool:
        pool.map(half, range(10))
        start = time.perf_counter()
        results = pool.map(half, range(count))
        seconds = time.perf_counter() - start
    report(rows=len(results), checksum=sum(results), seconds_inside=seconds)
