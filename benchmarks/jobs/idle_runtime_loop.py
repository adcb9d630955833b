"""Memory of an idle process pool. Argument: the number that its only task returns."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from held_memory import held_mebibytes
from report import report


def same(number: int) -> int:
    """Return the number."""
    return number


if __name__ == "__main__":
    before = held_mebibytes()
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        result = pool.submit(same, int(sys.argv[1])).result()
        held = held_mebibytes() - before
    report(rows=1, checksum=result, mebibytes=held)
