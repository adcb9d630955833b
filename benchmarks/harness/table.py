"""Turns runs into the Markdown table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from harness.workloads import Engine, Figure, Workload

if TYPE_CHECKING:
    from harness.measure import Run

_TITLES: Mapping[Engine, str] = {
    "ray": "Ray Data",
    "daft": "Daft",
    "loop": "bare Python loop",
    "penstock": "Penstock",
}
_FORMATS: Mapping[Figure, str] = {
    "seconds": "{:.2f} s",
    "rows_per_second": "{:.0f} rows/s",
    "microseconds_per_batch": "{:.1f} µs",
    "seconds_inside": "{:.3f} s",
    "milliseconds": "{:.0f} ms",
    "gigabytes_per_second": "{:.1f} GB/s",
    "mebibytes": "{:.0f} MiB",
}
_NOTHING = "\N{EN DASH}"
_TIMES = "\N{MULTIPLICATION SIGN}"
_RATIO_IS_ROUGH = 10
_CHECKSUM_TOLERANCE = 1e-6  # Relative; sums of floats differ with the order of the threads.


@dataclass
class Measured:
    """All runs of one job: the first sampled its memory, the others its time."""

    memory_run: Run | None = None
    timed_runs: list[Run] = field(default_factory=list)

    def all_runs(self) -> list[Run]:
        """Return every run, the first one first."""
        return [*([self.memory_run] if self.memory_run else []), *self.timed_runs]

    def broken(self) -> Run | None:
        """Return the first run that did not end well, if any."""
        return next((run for run in self.all_runs() if run.outcome != "ok"), None)


Results = Mapping[tuple[str, Engine], Measured]


def notes(workloads: Sequence[Workload], results: Results, engines: Sequence[Engine]) -> str:
    """Return a list of what the table alone would not say: why jobs broke, what a row means."""
    lines: list[str] = []
    for workload in workloads:
        lines += [f"- `{workload.name}`: {workload.note}."] if workload.note else []
        for engine in engines:
            broken = results.get((workload.name, engine), Measured()).broken()
            if broken is not None:
                lines.append(f"- `{workload.name}`: {_TITLES[engine]} {_how_it_broke(broken)}.")
    return "".join(f"{line}\n" for line in lines)


def disagreements(workload: Workload, results: Results) -> list[str]:
    """Return a sentence for each engine whose rows or checksum differ from the loop's."""
    loop = results.get((workload.name, "loop"))
    reference = next((run.report for run in loop.all_runs() if run.report), None) if loop else None
    if reference is None:
        return []
    sentences: list[str] = []
    for engine in workload.engines:
        for run in results.get((workload.name, engine), Measured()).all_runs():
            if run.report and not _agrees(run.report, reference):
                sentences.append(
                    f"{workload.name}: {_TITLES[engine]} computed something else than the loop; "
                    f"wanted {dict(reference)}; got: {dict(run.report)}"
                )
                break
    return sentences


def figures(workload: Workload, runs: Sequence[Run]) -> list[float]:
    """Return what the table shows of each run that ended well, in the workload's unit."""
    good = [run for run in runs if run.outcome == "ok"]
    if workload.figure == "seconds":
        return [run.seconds for run in good]
    if workload.figure == "rows_per_second":
        return [run.report["rows"] / run.seconds for run in good]
    return [run.report[workload.figure] for run in good]


def markdown(workloads: Sequence[Workload], results: Results, engines: Sequence[Engine]) -> str:
    """Return the table of medians, each with its ratio to the loop and the peak memory."""
    lines = [
        "| work | " + " | ".join(_TITLES[engine] for engine in engines) + " |",
        "|---" * (len(engines) + 1) + "|",
    ]
    for workload in workloads:
        cells = [_cell(workload, engine, results) for engine in engines]
        lines.append(f"| {workload.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def spread(workloads: Sequence[Workload], results: Results, engines: Sequence[Engine]) -> str:
    """Return the table of the smallest and the largest figure of each job."""
    lines = ["| work | engine | runs | smallest | median | largest |", "|---|---|---|---|---|---|"]
    for workload in workloads:
        for engine in engines:
            values = figures(workload, results.get((workload.name, engine), Measured()).timed_runs)
            if values:
                shown = [_number(workload, value) for value in _low_middle_high(values)]
                row = [f"`{workload.name}`", _TITLES[engine], str(len(values)), *shown]
                lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def size(memory_bytes: int) -> str:
    """Return the memory in the unit that suits it."""
    if memory_bytes < 2**30 / 10:
        return f"{memory_bytes / 2**20:.0f} MiB"
    return f"{memory_bytes / 2**30:.2f} GiB"


def _cell(workload: Workload, engine: Engine, results: Results) -> str:
    measured = results.get((workload.name, engine))
    if measured is None or not measured.all_runs():
        return _NOTHING
    broken = measured.broken()
    if broken is not None:
        return "timeout" if broken.outcome == "timeout" else "failed"
    values = figures(workload, measured.timed_runs)
    if not values:
        return _NOTHING
    parts = [_number(workload, median(values))]
    loop = figures(workload, results.get((workload.name, "loop"), Measured()).timed_runs)
    if engine != "loop" and loop:
        parts[0] += f" ({_ratio(median(values) / median(loop))})"
    if measured.memory_run and measured.memory_run.memory_bytes is not None:
        parts.append(size(measured.memory_run.memory_bytes))
    return ", ".join(parts)


def _how_it_broke(run: Run) -> str:
    if run.outcome == "timeout":
        return f"had not ended after {run.seconds:.0f} s"
    return f"failed: {run.message.rstrip('.')}"


def _agrees(report: Mapping[str, float], reference: Mapping[str, float]) -> bool:
    return report["rows"] == reference["rows"] and math.isclose(
        report["checksum"], reference["checksum"], rel_tol=_CHECKSUM_TOLERANCE
    )


def _low_middle_high(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), median(values), max(values)


def _number(workload: Workload, value: float) -> str:
    return _FORMATS[workload.figure].format(value)


def _ratio(value: float) -> str:
    return f"{value:.0f}{_TIMES}" if value >= _RATIO_IS_ROUGH else f"{value:.2f}{_TIMES}"
