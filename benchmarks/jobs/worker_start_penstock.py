"""How long workers of an empty class take until they are built. Argument: workers.

Each writes the time at which it was built into a file, and holds its batch until all have; the
first one's time counts from the start of the job, the others' from the one before.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from report import report

import penstock


class Empty:
    """Says when it was built."""

    def __init__(self, times: str, workers: int) -> None:
        """Append the time to the file `times`; `workers` will."""
        self.times, self.workers = Path(times), workers
        with self.times.open("a") as file:
            file.write(f"{time.monotonic_ns()}\n")

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch once all workers are built."""
        while self.times.read_text().count("\n") < self.workers:
            time.sleep(0.001)
        return batch


workers = int(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "times")  # noqa: PTH118  # As the class takes it.
    dataset = penstock.data.range(2 * workers).map_batches(
        Empty, batch_size=1, concurrency=workers, fn_constructor_args=(path, workers)
    )
    start_ns = time.monotonic_ns()
    rows = dataset.count()
    built_ns = sorted(int(line) for line in Path(path).read_text().split())
later_ns = (built_ns[-1] - built_ns[0]) / max(1, workers - 1)
report(
    rows=rows,
    checksum=len(built_ns),
    milliseconds_to_first=(built_ns[0] - start_ns) / 1e6,
    milliseconds=later_ns / 1e6,
)
