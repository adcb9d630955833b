"""How much memory this process holds with all those that it has started, daemons too."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PROC = Path("/proc")
_MARK = "BENCHMARK_STARTED_BY"

os.environ[_MARK] = str(os.getpid())  # What is started from now on has it, and so says whose it is.


def held_mebibytes() -> float:
    """Return the sum; pages that several processes share count once."""
    mark = f"{_MARK}={os.getpid()}".encode()
    total = _mebibytes("self")
    for process in _PROC.iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and mark in (process / "environ").read_bytes().split(b"\0"):
                total += _mebibytes(process.name)
    return total


def _mebibytes(process: str) -> float:
    for line in (_PROC / process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
