"""A row that ended its worker is known to the next run, when this one ends before its commit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

import penstock
from penstock import ledger
from penstock.data.stopping import EXIT_RESUMABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS, FATAL, HELD = 100, 5, 95

JOB = """
import os, signal, sys, time
import penstock

out, folder, before, on_error, timeout_s = sys.argv[1:]

def same(batch):
    return {"id": batch["id"], "twice": 2 * batch["id"]}

def work(batch, folder):
    if 5 in batch["id"]:
        os.close(os.open(os.path.join(folder, b"deaths", b"%d" % time.monotonic_ns()), os.O_CREAT))
        END
    if 95 in batch["id"]:
        while not os.path.exists(os.path.join(folder, b"gate")):
            time.sleep(0.01)
    return batch

context = penstock.data.DataContext.get_current()
context.drain_timeout_s = 0.2
rows = penstock.data.range(100, override_num_blocks=1)
if before == "behind":
    rows = rows.map_batches(same, batch_size=20)
rows.map_batches(
    work,
    batch_size=10,
    concurrency=2,
    on_error=on_error,
    batch_timeout_s=float(timeout_s),
    fn_args=[os.fsencode(folder)],
).write_parquet(out)
"""
CRASH = "os.kill(os.getpid(), signal.SIGSEGV)"
SLEEP = "time.sleep(1.5)"


class Job:
    """A job with one fatal row, and one that is held until the gate opens; both of one chunk."""

    def __init__(self, folder: Path, how: str = CRASH) -> None:
        self.folder, self.out, self.how = folder, folder / "out", how
        self.deaths = folder / "deaths"
        self.deaths.mkdir()
        self.before, self.on_error = "alone", "dead_letter"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, timeout_s: float = 60) -> subprocess.Popen[bytes]:
        script = JOB.replace("END", self.how)
        arguments = [self.out, self.folder, self.before, self.on_error, timeout_s]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def remembered(self) -> list[Path]:
        return list((self.out / "_penstock" / "fatal_rows").glob("*.json"))

    def stop_when_it_is_known(self, how: int, timeout_s: float = 60) -> int:
        """Start the job; end it as soon as the row is remembered, and let the next one go on."""
        process = self.start(timeout_s)
        while not self.remembered():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(how)
        code = process.wait(60)
        assert len(list(self.deaths.iterdir())) >= 2
        for death in self.deaths.iterdir():
            death.unlink()
        (self.folder / "gate").touch()
        return code

    def deaths_of_the_next_run(self, timeout_s: float = 60) -> int:
        assert self.start(timeout_s).wait(60) == 0
        return len(list(self.deaths.iterdir()))

    def check_output(self, left_out: set[int]) -> None:
        files = sorted(self.out.glob("*.parquet"))
        ids = [row for file in files for row in pq.read_table(file)["id"].to_pylist()]
        assert ids == [row for row in range(ROWS) if row not in left_out]
        found = ledger.verify(self.out)
        assert (found.problems, found.rows_dead) == ([], len(left_out))
        assert not (self.out / "_penstock" / "fatal_rows").exists()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Job]]:
    jobs: list[Job] = []

    def begin(how: str = CRASH) -> Job:
        jobs.append(Job(tmp_path, how))
        return jobs[-1]

    yield begin
    for job in jobs:
        for process in job.processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("before", ["alone", "behind"])
def test_the_next_run_leaves_it_out_without_another_death(
    make: Callable[..., Job], before: str
) -> None:
    job = make()
    job.before = before
    job.stop_when_it_is_known(signal.SIGKILL)
    assert job.deaths_of_the_next_run() == 0
    job.check_output({FATAL})
    (letter,) = penstock.dead_letters(job.out).take_all()
    assert (letter["row"]["id"], letter["cause"]) == (FATAL, "crash")
    assert "signal 11" in letter["message"]
    assert letter["attempts"] >= 2, "those of the run that found it"


def test_a_job_that_was_asked_to_end_and_has_committed_nothing_remembers_it(
    make: Callable[..., Job],
) -> None:
    job = make()
    job.on_error = "drop"
    assert job.stop_when_it_is_known(signal.SIGTERM) == EXIT_RESUMABLE
    assert job.deaths_of_the_next_run() == 0
    job.check_output({FATAL})


def test_a_function_that_was_mended_gets_the_row_again(make: Callable[..., Job]) -> None:
    job = make()
    job.stop_when_it_is_known(signal.SIGKILL)
    job.how = "pass"
    assert job.deaths_of_the_next_run() == 1, "a note that it came, and no death"
    job.check_output(set())


def test_a_row_that_took_too_long_is_tried_again_with_more_time(make: Callable[..., Job]) -> None:
    job = make(SLEEP)
    # The row that is held takes too long as well, and is found after this one or before.
    job.stop_when_it_is_known(signal.SIGKILL, timeout_s=0.5)
    job.deaths_of_the_next_run(timeout_s=60)
    job.check_output(set())
