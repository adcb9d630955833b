"""Runs one job as a process of its own and measures it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal

from harness.processes import shared_memory_bytes, stop_descendants, tree_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAMPLE_INTERVAL_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one run of a job; `memory_bytes` is None where it was not sampled."""

    outcome: Literal["ok", "failed", "timeout"]
    seconds: float
    memory_bytes: int | None = None
    report: Mapping[str, float] = field(default_factory=dict)
    message: str = ""


def run_job(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    timeout_s: float,
    sample_memory: bool,
) -> Run:
    """Run the command to its end and return wall time, peak memory and its report.

    `adopt_orphans` must have been called. Sampling costs the job time (the kernel walks its
    page tables), so a run either samples or counts as a timing. Past the timeout, and after
    the end, whatever is left of the job's processes is killed.
    """
    shared_before = shared_memory_bytes()
    memory_bytes = 0
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        end = select.poll()
        pidfd = os.pidfd_open(process.pid)
        end.register(pidfd, select.POLLIN)
        interval_s = _SAMPLE_INTERVAL_S if sample_memory else timeout_s
        while not end.poll(interval_s * 1000):
            if time.perf_counter() - start >= timeout_s:
                break
            if sample_memory:
                sample = tree_memory_bytes(shared_before=shared_before)
                memory_bytes = max(memory_bytes, sample)
        seconds = time.perf_counter() - start
        os.close(pidfd)
        in_time = process.poll() is not None
        stop_descendants()
        process.wait()
        peak = memory_bytes if sample_memory else None
        if not in_time:
            return Run(outcome="timeout", seconds=seconds, memory_bytes=peak)
        report = _last_report(output)
        if process.returncode != 0 or report is None:
            message = _last_line(errors) or f"exit status {process.returncode}, no report"
            return Run(outcome="failed", seconds=seconds, memory_bytes=peak, message=message)
        return Run(outcome="ok", seconds=seconds, memory_bytes=peak, report=report)


def _last_report(output: IO[str]) -> dict[str, float] | None:
    output.seek(0)
    lines = [line for line in output if line.startswith('{"rows"')]
    if not lines:
        return None
    report: dict[str, float] = json.loads(lines[-1])
    return report


def _last_line(errors: IO[str]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    return lines[-1] if lines else ""
