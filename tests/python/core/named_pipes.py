"""Gates that tasks wait at until a test opens them."""

from __future__ import annotations

import os
from pathlib import Path


class Gate:
    """A named pipe: who waits at it goes on when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(self.path)

    def open(self) -> None:
        """Let the one who waits go on; wait for one first."""
        with Path(self.path).open("w") as end:
            end.write("go")


def wait_at(path: str) -> str:
    """Wait until the gate is opened."""
    with Path(path).open() as end:
        return end.read()
