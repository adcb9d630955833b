"""From the start of a process pool to its first result. Argument: the number that it returns."""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from report import report


def same(number: int) -> int:
    """Return the number."""
    return number


if __name__ == "__main__":
    start = time.perf_counter()
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        result = pool.submit(same, int(sys.argv[1])).result()
        seconds = time.perf_counter() - start
    report(rows=1, checksum=result, seconds_inside=seconds)
