"""Holds calls back until a test lets them go on."""

from __future__ import annotations

import os
from pathlib import Path


class Turnstile:
    """A named pipe: each `let_through` lets one `pass_through`, in whatever process, go on."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(self.path)
        self._end = os.open(self.path, os.O_RDWR)  # Keeps what is written; never waits.

    def let_through(self, times: int = 1) -> None:
        os.write(self._end, b"." * times)

    def close(self) -> None:
        os.close(self._end)


def let_through(path: str) -> None:
    """Do as the turnstile itself, in whatever process."""
    with Path(path).open("wb", buffering=0) as gate:
        gate.write(b".")


def pass_through(path: str) -> None:
    """Wait for a `let_through` of one's own."""
    with Path(path).open("rb", buffering=0) as gate:
        gate.read(1)
