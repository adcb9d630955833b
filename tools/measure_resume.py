"""Measures how a job of very many chunks goes on that was cut off near its end.

    PYTHONPATH=python python tools/measure_resume.py --chunks 1000000

Writes ten rows a chunk through a function that fails when 99 % are done, then runs the same job
again; prints what was committed, how long the second run took, and how much of the input it read.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import penstock
from penstock import ledger

ROWS_OF_CHUNK = 10
SHARE_BEFORE = 0.99


def fail_late(batch: dict[str, Any], last: int, trap: bytes) -> dict[str, Any]:
    """Return the batch; fail at row `last` as long as the trap is there."""
    if batch["id"][0] >= last and Path(os.fsdecode(trap)).exists():
        raise RuntimeError("cut off")
    return batch


def main() -> None:
    """Run the job twice and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--rows-per-file", type=int, default=10_000)
    options = parser.parse_args()
    context = penstock.data.DataContext.get_current()
    context.rows_per_chunk = ROWS_OF_CHUNK
    context.enable_progress_bars = False
    rows = ROWS_OF_CHUNK * options.chunks
    with tempfile.TemporaryDirectory() as folder:
        out, trap = str(Path(folder, "out")), Path(folder, "trap")
        trap.touch()
        arguments = [int(rows * SHARE_BEFORE), os.fsencode(trap)]

        def write() -> float:
            start_s = time.perf_counter()
            penstock.data.range(rows, override_num_blocks=options.chunks).map_batches(
                fail_late, batch_size=ROWS_OF_CHUNK, concurrency=1, fn_args=arguments
            ).write_parquet(out, min_rows_per_file=options.rows_per_file)
            return time.perf_counter() - start_s

        try:
            write()
        except penstock.exceptions.UserCodeException:
            trap.unlink()
        before = ledger.verify(out)
        seconds = write()
        after = ledger.verify(out)
        if after.problems or after.rows_out != rows or not after.is_finished:
            sys.exit(f"the output is not whole: {after}")
        read = (rows - before.rows_in) / rows
        sys.stdout.write(
            f"{before.chunks} of {options.chunks} chunks were committed in {before.files} files; "
            f"the second run took {seconds:.2f} s and read {read:.2%} of the input\n"
        )


if __name__ == "__main__":
    main()
