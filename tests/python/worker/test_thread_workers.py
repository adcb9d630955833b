"""Workers that are threads of one process: one model, many threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pools import over_rows

from penstock.exceptions import RayTaskError, WorkerCrashedError
from penstock.worker import current

if TYPE_CHECKING:
    import penstock

WORKERS = 4
PATIENCE_S = 60


class Meeting:
    """Holds each of its calls until as many run as there are workers."""

    def __init__(self, built: str) -> None:
        with Path(built).open("a") as file:
            file.write("built\n")
        self.barrier = threading.Barrier(WORKERS)

    def __call__(self, batch):
        self.barrier.wait(PATIENCE_S)
        return {
            "process": [os.getpid()],
            "thread": [threading.get_ident()],
            "batch": [current.running.batch_number],
        }


def meeting(folder: Path) -> penstock.data.Dataset:
    return over_rows(
        2 * WORKERS, Meeting, workers=WORKERS, threads=True, arguments=(str(folder / "built"),)
    )


def test_the_threads_run_one_model_at_the_same_time(tmp_path):
    rows = meeting(tmp_path).take_all()
    assert len({row["process"] for row in rows}) == 1
    assert len({row["thread"] for row in rows}) == WORKERS
    assert (tmp_path / "built").read_text() == "built\n"


def test_each_thread_knows_which_batch_it_runs(tmp_path):
    rows = meeting(tmp_path).take_all()
    assert [row["batch"] for row in rows] == list(range(2 * WORKERS))


def test_the_statistics_name_the_threads(tmp_path):
    said = meeting(tmp_path).materialize().stats()
    assert f"Workers: 1 spawned, {WORKERS - 1} threads of its process" in said


def test_a_function_that_is_no_class_is_shared_too():
    def process(batch):
        return {"process": [os.getpid()]}

    rows = over_rows(40, process, workers=WORKERS, threads=True).take_all()
    assert len({row["process"] for row in rows}) == 1


def test_errors_name_the_row_of_the_thread_that_raised():
    class Rows:
        def __init__(self):
            self.barrier = threading.Barrier(2)

        def __call__(self, row):
            self.barrier.wait(PATIENCE_S)
            if row["id"] == 5:
                raise LookupError("bad row")
            return row

    ds = over_rows(
        8, Rows, workers=2, threads=True, kind="row", batch_rows=4, in_flight_per_worker=1
    )
    with pytest.raises(LookupError, match="row 1 of its batch"):
        ds.take_all()


def test_a_constructor_that_raises_fails_the_job_with_its_error():
    class Broken:
        def __init__(self):
            raise LookupError("no weights")

        def __call__(self, batch):
            return batch

    with pytest.raises(LookupError, match="no weights"):
        over_rows(8, Broken, workers=WORKERS, threads=True).take_all()


def test_a_crash_in_one_thread_is_the_end_of_all_and_is_named():
    class Crashes:
        def __init__(self):
            self.barrier = threading.Barrier(WORKERS)

        def __call__(self, batch):
            if self.barrier.wait(PATIENCE_S) == 0:
                os.kill(os.getpid(), signal.SIGSEGV)
            threading.Event().wait()

    with pytest.raises(WorkerCrashedError) as raised:
        over_rows(8, Crashes, workers=WORKERS, threads=True, max_task_retries=0).take_all()
    assert "signal 11 (SIGSEGV)" in str(raised.value)
    assert "Fatal Python error" in str(raised.value)


def test_a_thread_that_calls_exit_fails_its_batch_as_a_worker_does():
    def leave(batch):
        sys.exit(3)

    with pytest.raises(RayTaskError) as raised:
        over_rows(8, leave, workers=2, threads=True).take_all()
    assert isinstance(raised.value.cause, SystemExit)


def test_generators_of_several_threads_wait_for_room_each_for_itself():
    class Streams:
        def __init__(self):
            self.barrier = threading.Barrier(2)

        def __call__(self, batch):
            for part in range(50):
                self.barrier.wait(PATIENCE_S)
                yield {"x": [int(batch["id"][0]) * 100 + part]}

    rows = over_rows(4, Streams, workers=2, threads=True).take_all()
    assert [row["x"] for row in rows] == [n * 100 + part for n in range(4) for part in range(50)]
