"""How soon a worker that died is replaced and at work: Penstock. Argument: batches.

The clock starts when the worker kills itself, amid its batches, and ends when another takes the
batch that it held.
"""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import report

import penstock

count = int(sys.argv[1])


class Mortal:
    """Dies of one batch, once."""

    def __init__(self, grave: str) -> None:
        """Know where the time of death is written down, if it came already."""
        self._grave = Path(grave)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch with the milliseconds since a death in it; 0 without one."""
        now = time.monotonic()  # Of the machine, and so the same in all processes.
        milliseconds = 0.0
        if count // 2 in batch["id"]:
            if not self._grave.exists():
                self._grave.write_text(str(now))
                os.kill(os.getpid(), signal.SIGKILL)
            milliseconds = (now - float(self._grave.read_text())) * 1e3
        return {"id": batch["id"], "milliseconds": np.full(len(batch["id"]), milliseconds)}


with tempfile.TemporaryDirectory() as folder:
    dataset = penstock.data.range(count).map_batches(
        Mortal, fn_constructor_args=(f"{folder}/grave",), batch_size=1, concurrency=1
    )
    rows, total, milliseconds = 0, 0, 0.0
    for batch in dataset.iter_batches(batch_size=None):
        rows += len(batch["id"])
        total += int(batch["id"].sum())
        milliseconds += float(batch["milliseconds"].sum())
report(rows=rows, checksum=total, milliseconds=milliseconds)
