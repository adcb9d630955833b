"""A job that is asked to end keeps what it has begun, says that it can go on, and does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from penstock import ledger
from penstock.data.stopping import EXIT_RESUMABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHUNKS, ROWS = 20, 50
JOB = """
import os, signal, sys, threading
import penstock

signal.signal(signal.SIGINT, signal.default_int_handler)  # Whatever the shell had it ignore.

out, gate = sys.argv[1], os.fsencode(sys.argv[2])

def hold(batch, gate):
    if batch["id"][0] == 250:
        os.write(1, b"ready\\n")
        while not os.path.exists(gate):
            threading.Event().wait(0.01)
    return batch

context = penstock.data.DataContext.get_current()
context.rows_per_chunk = 50
context.drain_timeout_s = float(sys.argv[3])
penstock.data.range(1000, override_num_blocks=20).map_batches(
    hold, batch_size=50, concurrency=1, fn_args=[gate]
).write_parquet(out)
"""


class Job:
    def __init__(self, out: Path, gate: Path, deadline_s: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, str(out), str(gate), str(deadline_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def wait_until_held(self) -> None:
        assert self.process.stdout is not None
        while not self.process.stdout.readline().endswith("ready\n"):
            assert self.process.poll() is None

    def ended(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Job]]:
    jobs = []

    def begin(deadline_s: float = 60) -> Job:
        jobs.append(Job(tmp_path / "out", tmp_path / "gate", deadline_s))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.process.kill()
        job.process.communicate()


def ids(out: Path) -> list[int]:
    return sorted(
        row for file in out.glob("*.parquet") for row in pq.read_table(file)["id"].to_pylist()
    )


def wait_for_word(job: Job) -> None:
    """Wait until the job has heard the signal: it says so at once."""
    assert job.process.stderr is not None
    line = job.process.stderr.readline()
    assert "stopping: what has begun is finished" in line


def stopped(start: Callable[..., Job], tmp_path: Path, number: int) -> tuple[int, str]:
    """Ask a job to end while a chunk is held, and let that go on; return how the job ended."""
    job = start()
    job.wait_until_held()
    job.process.send_signal(number)
    wait_for_word(job)
    (tmp_path / "gate").touch()
    return job.ended()


def test_sigterm_ends_a_job_with_whole_chunks_and_the_code_that_says_resumable(
    start: Callable[..., Job], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, _ = stopped(start, tmp_path, signal.SIGTERM)
    assert code == EXIT_RESUMABLE
    done = ids(out)
    assert set(range(6 * ROWS)) <= set(done), "the chunk that was held is finished"
    assert len(done) < CHUNKS * ROWS
    assert len(done) % ROWS == 0
    found = ledger.verify(out)
    assert (found.problems, found.is_finished, found.rows_out) == ([], False, len(done))
    assert start().ended()[0] == 0
    assert ids(out) == list(range(CHUNKS * ROWS))
    assert ledger.verify(out).is_finished


def test_ctrl_c_does_the_same_and_raises(start: Callable[..., Job], tmp_path: Path) -> None:
    code, errors = stopped(start, tmp_path, signal.SIGINT)
    assert code == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    assert set(range(6 * ROWS)) <= set(ids(tmp_path / "out"))


def test_what_takes_longer_than_the_deadline_is_given_back(
    start: Callable[..., Job], tmp_path: Path
) -> None:
    job = start(deadline_s=0.3)
    job.wait_until_held()
    job.process.send_signal(signal.SIGTERM)
    begin_s = time.monotonic()
    assert job.ended()[0] == EXIT_RESUMABLE
    assert time.monotonic() - begin_s < 20
    done = ids(tmp_path / "out")
    assert not set(done) & set(range(5 * ROWS, 6 * ROWS))
    assert ledger.verify(tmp_path / "out").problems == []


def test_a_second_signal_stops_at_once(start: Callable[..., Job], tmp_path: Path) -> None:
    job = start()
    job.wait_until_held()
    job.process.send_signal(signal.SIGTERM)
    wait_for_word(job)
    job.process.send_signal(signal.SIGTERM)
    assert job.ended()[0] == EXIT_RESUMABLE
    (tmp_path / "gate").touch()
    assert start().ended()[0] == 0
    assert ids(tmp_path / "out") == list(range(CHUNKS * ROWS))


def test_a_programs_own_handler_is_left_alone(tmp_path: Path) -> None:
    script = (
        "import signal, penstock\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def mine(*_): pass\n"
        "signal.signal(signal.SIGTERM, mine)\n"
        f"penstock.data.range(3).write_parquet({str(tmp_path / 'out')!r})\n"
        "assert signal.getsignal(signal.SIGTERM) is mine\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env=environment,
    )
