"""What `Dataset.stats()` returns: a table of stages, and the sentence that names the slowest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.units import bytes_text, rate_text, seconds_text

if TYPE_CHECKING:
    from penstock._core import Snapshot, StageSnapshot

_NS = 1e9
_HEADINGS = (
    "stage",
    "rows in",
    "rows out",
    "bytes out",
    "blocks",
    "workers",
    "starting",
    "busy",
    "starved",
    "blocked",
)


def stats_text(snapshot: Snapshot) -> str:
    """Return the statistics of a running or finished job.

    Times are those of all workers or threads of a stage added up: starting (until a worker has
    built its function), busy at work, starved for want of input, blocked for want of room behind
    them.
    """
    seconds = snapshot.elapsed_ns / _NS
    state = "Finished in" if snapshot.finished else "Running or stopped after"
    rows = snapshot.rows_delivered
    most, budget = bytes_text(snapshot.used_bytes_max), bytes_text(snapshot.budget_bytes)
    held = f"at most {most} of {budget} held"
    lines = [
        f"{state} {seconds_text(seconds)}: {rows:,} rows, {rate_text(rows, seconds)}; {held}",
        *_table([_HEADINGS, *map(_cells, snapshot.stages)]),
        f"Workers: {snapshot.worker_starts}" if snapshot.worker_starts else "",
        *map(_events, snapshot.stages),
        snapshot.bottleneck_sentence,
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _events(stage: StageSnapshot) -> str:
    """Say what became of the stage's workers and batches beyond the ordinary; often nothing."""
    told = {
        "rows filtered": stage.rows_filtered,
        "rows that failed and were left out": stage.rows_failed,
        "workers that died and were replaced": stage.restarts,
        "batches run again because of that": stage.retries,
        "workers replaced for their age or size": stage.recycled,
        "rows a batch, grown to": stage.batch_rows_found,
    }
    facts = [f"{what}: {count:,}" for what, count in told.items() if count]
    return f"{stage.name}: {'; '.join(facts)}" if facts else ""


def _cells(stage: StageSnapshot) -> tuple[str, ...]:
    return (
        stage.name,
        f"{stage.rows_in:,}",
        f"{stage.rows_out:,}",
        bytes_text(stage.bytes_out),
        f"{stage.blocks_out:,}",
        str(stage.workers) if stage.workers else "-",
        seconds_text(stage.starting_ns / _NS) if stage.workers else "-",
        seconds_text(stage.busy_ns / _NS),
        seconds_text(stage.starved_ns / _NS),
        seconds_text(stage.blocked_ns / _NS),
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
