"""Progress of a running job, drawn from its snapshots.

On a terminal and in notebooks live bars (by rich, imported only once the job has run half a
second); elsewhere a line on stderr every ten seconds.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from penstock.units import bytes_text, rate_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from penstock._core import Snapshot

_LIVE_AFTER_S = 0.5
_LIVE_EVERY_S = 0.2
_LINE_EVERY_S = 10.0
_NS = 1e9


class _View(Protocol):
    def show(self, snapshot: Snapshot) -> None: ...
    def close(self, snapshot: Snapshot | None) -> None: ...


class Progress:
    """Shows one job. Cheap to update: most calls only look at the clock."""

    def __init__(
        self,
        *,
        enabled: bool,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show on `stream` (stderr by default), by `clock` in seconds; nothing if not `enabled`."""
        self._stream = stream or sys.stderr
        self._clock = clock
        self._live = enabled and (_is_terminal(self._stream) or _in_notebook())
        self._every_s = _LIVE_EVERY_S if self._live else _LINE_EVERY_S
        first_s = _LIVE_AFTER_S if self._live else _LINE_EVERY_S
        self._due_s = clock() + first_s if enabled else float("inf")
        self._view: _View | None = None

    def update(self, take: Callable[[], Snapshot]) -> None:
        """Draw what `take` returns, if it is time to."""
        now_s = self._clock()
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        if self._view is None:
            self._view = self._make_view()
        self._view.show(take())

    def close(self, snapshot: Snapshot | None) -> None:
        """Draw the last state, if anything was drawn before, and give the terminal back."""
        self._due_s = float("inf")
        view, self._view = self._view, None
        if view is not None:
            view.close(snapshot)

    def _make_view(self) -> _View:
        if not self._live:
            return _Lines(self._stream)
        from penstock.live import LiveView

        return LiveView(self._stream)


class _Lines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, snapshot: Snapshot) -> None:
        print(line_of(snapshot), file=self._stream, flush=True)

    def close(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self.show(snapshot)


def line_of(snapshot: Snapshot) -> str:
    """Return a job's state on one line."""
    seconds = snapshot.elapsed_ns / _NS
    stages = ", ".join(f"{stage.name} {stage.rows_out:,} rows" for stage in snapshot.stages)
    rate = rate_text(snapshot.rows_delivered, seconds)
    held = f"{bytes_text(snapshot.used_bytes)} of {bytes_text(snapshot.budget_bytes)}"
    return f"penstock: {seconds_text(seconds)}; {stages}; {rate}; {held} held"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this; never imports IPython for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
