"""Live bars by rich: one line a stage, one for the job. Imported only when they are shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from penstock.units import bytes_text, rate_text, seconds_text

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import RenderableType

    from penstock._core import Snapshot, StageSnapshot

_NS = 1e9
_BAR_WIDTH = 24


class LiveView:
    """Redraws the bars in place; the last state stays on the screen."""

    def __init__(self, stream: TextIO) -> None:
        # What the user prints goes above the bars, unless stdout leads somewhere else.
        self._live = Live(
            console=Console(file=stream),
            auto_refresh=False,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        """Draw `snapshot`."""
        self._live.update(_picture(snapshot), refresh=True)

    def close(self, snapshot: Snapshot | None) -> None:
        """Draw the last state and give the terminal back."""
        if snapshot is not None:
            self.show(snapshot)
        self._live.stop()


def _picture(snapshot: Snapshot) -> RenderableType:
    seconds = snapshot.elapsed_ns / _NS
    table = Table.grid(padding=(0, 2))
    for index, stage in enumerate(snapshot.stages):
        name = Text(stage.name, style="bold" if index == snapshot.bottleneck else "")
        table.add_row(name, _bar(stage), *_figures(stage, seconds))
    rows = snapshot.rows_delivered
    held = f"{bytes_text(snapshot.used_bytes)} of {bytes_text(snapshot.budget_bytes)} held"
    total = f"{seconds_text(seconds)}  {rows:,} rows  {rate_text(rows, seconds)}  {held}"
    return Group(table, Text(total))


def _bar(stage: StageSnapshot) -> ProgressBar:
    if stage.tasks_total < 0:
        return ProgressBar(total=None, width=_BAR_WIDTH)
    return ProgressBar(
        total=max(1, stage.tasks_total), completed=stage.tasks_done, width=_BAR_WIDTH
    )


def _figures(stage: StageSnapshot, seconds: float) -> tuple[str, ...]:
    workers = f"{stage.workers} workers" if stage.workers else ""
    queued = f"{stage.queued_blocks} queued" if stage.queued_blocks else ""
    return f"{stage.rows_out:,} rows", rate_text(stage.rows_out, seconds), workers, queued
