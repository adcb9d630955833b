from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest

import penstock
from penstock.exceptions import RayTaskError, WorkerCrashedError

ENDINGS = {
    "exits with 0": (lambda: os._exit(0), "exited with code 0"),
    "is killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal 9 .SIGKILL"),
    "is terminated": (lambda: os.kill(os.getpid(), signal.SIGTERM), "signal 15 .SIGTERM"),
    "aborts": (os.abort, "signal 6 .SIGABRT"),
    "crashes": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "signal 11 .SIGSEGV"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_worker_that_ends_in_a_batch_ends_the_job_with_the_reason_and_the_rows(ending):
    end, words = ENDINGS[ending]

    def fail_late(batch):
        if batch["id"][0] == 5:
            end()
        return batch

    ds = penstock.data.range(10).map_batches(fail_late, batch_size=5, concurrency=1)
    with pytest.raises(WorkerCrashedError, match=f"(?s)fail_late.*{words}.*batch 1"):
        ds.take_all()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_worker_that_ends_in_a_constructor_ends_the_job_with_the_reason(ending):
    end, words = ENDINGS[ending]

    class Broken:
        def __init__(self):
            end()

        def __call__(self, batch):
            return batch

    with pytest.raises(WorkerCrashedError, match=f"(?s)Broken.*{words}"):
        penstock.data.range(10).map_batches(Broken, concurrency=2).take_all()


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), StopIteration()])
def test_exceptions_that_mean_something_to_python_are_failures_like_others(raised):
    def leave(batch):
        raise raised

    with pytest.raises(RayTaskError) as error:
        penstock.data.range(10).map_batches(leave).take_all()
    assert type(error.value.cause) is type(raised)


@pytest.mark.parametrize("bad", [0, 500, 999])
def test_a_failing_row_is_named_wherever_it_stands(bad):
    def divide(row):
        return {"x": 1 // (row["id"] - bad)}

    ds = penstock.data.range(1000, override_num_blocks=4).map(divide)
    with pytest.raises(ZeroDivisionError, match=f"row {bad % 250} of its batch"):
        ds.take_all()


def test_a_constructor_that_calls_exit_fails_as_one_that_raises():
    class Leaves:
        def __init__(self):
            sys.exit("bye")

        def __call__(self, batch):
            return batch

    with pytest.raises(RayTaskError) as error:
        penstock.data.range(10).map_batches(Leaves, concurrency=2).take_all()
    assert isinstance(error.value.cause, SystemExit)


def test_a_generator_may_fail_after_it_has_yielded():
    def yield_and_fail(batch):
        yield {"x": [1]}
        raise LookupError("late")

    with pytest.raises(LookupError, match="late"):
        penstock.data.range(10).map_batches(yield_and_fail).take_all()


def test_a_child_that_a_function_forks_answers_nothing():
    def fork_and_return(batch):
        if os.fork() != 0:
            os.wait()
        return batch

    def fork_and_exit(batch):
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
        return batch

    ds = penstock.data.range(20).map_batches(fork_and_return, batch_size=5)
    assert (
        ds.map_batches(fork_and_exit, batch_size=4).take_all() == penstock.data.range(20).take_all()
    )


def test_a_function_may_close_the_standard_streams():
    def close(batch):
        sys.stdout.flush()
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        return batch

    ds = penstock.data.range(10).map_batches(close, batch_size=10, concurrency=1)
    assert ds.count() == 10


def test_a_function_finds_its_standard_input_empty():
    def read(batch):
        return {"text": [sys.stdin.read()]}

    assert penstock.data.range(1).map_batches(read).take_all() == [{"text": ""}]


def test_a_function_may_change_its_folder_and_start_threads_and_processes():
    def wander(batch):
        import subprocess
        import threading

        os.chdir("/")
        threading.Thread(target=threading.Event().wait).start()
        said = subprocess.run(["/bin/echo", "hi"], capture_output=True, text=True, check=True)
        return {"said": [said.stdout] * len(batch["id"])}

    ds = penstock.data.range(4).map_batches(wander, batch_size=2, concurrency=1)
    assert ds.take_all() == [{"said": "hi\n"}] * 4


def test_a_function_may_keep_batches_and_return_them_later():
    class Keeper:
        def __init__(self):
            self.kept = []

        def __call__(self, batch):
            self.kept.append(batch)
            intact = all(
                np.array_equal(old["id"], np.arange(old["id"][0], old["id"][0] + 10))
                for old in self.kept
            )
            return {"first": self.kept[0]["id"][:1], "intact": [intact]}

    rows = penstock.data.range(1000).map_batches(Keeper, batch_size=10, concurrency=1).take_all()
    assert rows == [{"first": 0, "intact": True}] * 100


def test_what_a_function_changes_in_place_stays_out_of_materialised_data():
    def add_one(batch):
        batch["id"] += 1
        return batch

    held = penstock.data.range(1000).materialize()
    for _ in range(2):
        assert held.map_batches(add_one).take(2) == [{"id": 1}, {"id": 2}]
    assert held.take(2) == [{"id": 0}, {"id": 1}]


def test_a_function_may_run_a_job_of_its_own():
    def nested(row):
        inner = penstock.data.range(3).map_batches(lambda batch: batch)
        return {"rows": len(inner.take_all())}

    assert penstock.data.range(1).map(nested).take_all() == [{"rows": 3}]
