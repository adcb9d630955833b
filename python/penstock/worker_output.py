"""Shows what workers print on this process's own streams.

The engine gathers it as whole lines (`worker_lines.h`), without ever touching Python; the thread
that waits for the job writes it here, to whatever `sys.stdout` and `sys.stderr` are by then: a
notebook's cell, a test's capture, the live bars' own.
"""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from penstock._core import WorkerLines


def show(lines: WorkerLines) -> None:
    """Write the lines that have gathered, each whole. What a stream refuses is lost."""
    for is_error, group in groupby(lines.take(), key=lambda line: line[0]):
        stream = sys.stderr if is_error else sys.stdout
        if stream is not None:
            _write(stream, b"".join(text + b"\n" for _, text in group).decode(errors="replace"))


def _write(stream: TextIO, text: str) -> None:
    try:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, errors="backslashreplace").decode(encoding))
        stream.flush()  # As a worker's own prints are seen at once.
    except Exception:  # noqa: BLE001  # A job does not fail because nobody listens to its workers.
        return
