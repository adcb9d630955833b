"""Empty tasks, all submitted, then all got: a process pool. Argument: tasks."""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from report import report


def increase(number: int) -> int:
    """Return the next number."""
    return number + 1


if __name__ == "__main__":
    count = int(sys.argv[1])
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(increase, range(10)))
        start = time.perf_counter()
        futures = [pool.submit(increase, number) for number in range(count)]
        results = [future.result() for future in futures]
        seconds = time.perf_counter() - start
    report(rows=len(results), checksum=sum(results), seconds_inside=seconds)
