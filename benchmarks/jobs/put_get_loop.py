"""A large array sent to another process, and one number back: a pipe. Arguments: MiB, times."""

import multiprocessing
import sys
import time
from typing import Any

import numpy as np
from report import report


def last(array: np.ndarray[Any, Any]) -> float:
    """Return the last number."""
    return float(array[-1])


if __name__ == "__main__":
    mebibytes, times = int(sys.argv[1]), int(sys.argv[2])
    array = np.arange(mebibytes << 17, dtype=np.float64)
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        pool.apply(last, (array[:1],))
        start = time.perf_counter()
        total = sum(pool.apply(last, (array,)) for _ in range(times))
        seconds = time.perf_counter() - start
    report(rows=times, checksum=total, seconds_inside=seconds)
