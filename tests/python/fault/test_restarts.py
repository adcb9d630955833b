"""Workers that die are replaced, and the batches that they held run again."""

from __future__ import annotations

import ctypes
import os
import re
import signal

import numpy as np
import pytest

import penstock
from penstock.data import DataContext
from penstock.exceptions import ExecutionTimeoutError, RayTaskError, WorkerCrashedError

ROWS = 1000


def once(path):
    """Return whether nobody has passed here before; of several processes one passes."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def restarts(ds):
    return [int(n) for n in re.findall(r"died and were replaced: (\d+)", ds.stats())]


ENDINGS = {
    "exits": lambda: os._exit(0),
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crashes": lambda: ctypes.string_at(0),
    "aborts": os.abort,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_worker_that_ends_once_costs_no_row(tmp_path, ending):
    end = ENDINGS[ending]

    def stumble(batch):
        if 500 in batch["id"] and once(tmp_path / "passed"):
            end()
        return batch

    ds = penstock.data.range(ROWS).map_batches(stumble, batch_size=30, concurrency=2)
    assert [row["id"] for row in ds.take_all()] == list(range(ROWS))
    assert restarts(ds) == [1]


def test_a_generator_that_dies_half_way_yields_nothing_twice(tmp_path):
    def single(batch):
        for row in batch["id"]:
            if row == 777 and once(tmp_path / "passed"):
                os._exit(1)
            yield {"id": [row]}

    ds = penstock.data.range(ROWS).map_batches(single, batch_size=100, concurrency=2)
    assert [row["id"] for row in ds.take_all()] == list(range(ROWS))
    assert restarts(ds) == [1]


def test_a_generator_that_yields_less_the_second_time_is_an_error(tmp_path):
    def shrink(batch):
        again = not once(tmp_path / f"began {batch['id'][0]}")
        yield {"id": batch["id"][:50]}
        if not again:
            os._exit(1)

    def first_half(batch):
        yield from shrink({"id": batch["id"][:10]} if (tmp_path / "began 0").exists() else batch)

    ds = penstock.data.range(100).map_batches(first_half, batch_size=100, concurrency=1)
    with pytest.raises(ValueError, match="yielded fewer rows than before"):
        ds.take_all()


def test_what_a_dying_function_changed_in_place_is_not_seen_by_the_next(tmp_path):
    def make(batch):
        return {"id": batch["id"], "payload": np.ones((len(batch["id"]), 10_000))}

    def spoil(batch):
        batch["payload"] *= 2
        if once(tmp_path / "passed"):
            os._exit(1)
        return {"sum": batch["payload"].sum(axis=1)}

    ds = penstock.data.range(100).map_batches(make, batch_size=50, concurrency=1)
    rows = ds.map_batches(spoil, concurrency=1).take_all()
    assert {row["sum"] for row in rows} == {20_000.0}


def test_a_poisonous_batch_ends_the_job_after_its_tries_and_is_named(tmp_path):
    def poison(batch):
        if 500 in batch["id"]:
            with (tmp_path / "deaths").open("a") as deaths:
                deaths.write("x")
            os._exit(7)
        return batch

    ds = penstock.data.range(ROWS).map_batches(
        poison, batch_size=100, concurrency=2, max_task_retries=2
    )
    with pytest.raises(WorkerCrashedError, match=r"(?s)exited with code 7 .* batch 5 \(100 rows"):
        ds.take_all()
    assert (tmp_path / "deaths").read_text() == "xxx"


def test_without_retries_the_first_death_ends_the_job(tmp_path):
    def stumble(batch):
        if once(tmp_path / "passed"):
            os._exit(7)
        return batch

    ds = penstock.data.range(ROWS).map_batches(stumble, concurrency=1, max_task_retries=0)
    with pytest.raises(WorkerCrashedError, match="exited with code 7"):
        ds.take_all()


def test_without_restarts_the_others_take_over(tmp_path):
    def stumble(batch):
        if 500 in batch["id"] and once(tmp_path / "passed"):
            os._exit(1)
        return batch

    ds = penstock.data.range(ROWS).map_batches(
        stumble, batch_size=10, concurrency=2, max_restarts=0
    )
    assert ds.count() == ROWS
    assert restarts(ds) == []


def test_a_constructor_that_raises_is_tried_once_unless_the_context_says_otherwise(tmp_path):
    class Moody:
        def __init__(self):
            with (tmp_path / "built").open("a") as built:
                built.write("x")
            if len((tmp_path / "built").read_text()) < 3:
                raise ConnectionError("no server yet")

        def __call__(self, batch):
            return batch

    with pytest.raises(RayTaskError, match="no server yet"):
        penstock.data.range(10).map_batches(Moody, concurrency=1).take_all()
    assert (tmp_path / "built").read_text() == "x"
    context = DataContext.get_current().copy()
    context.actor_init_retry_on_errors = True
    context.actor_init_max_retries = 3
    with DataContext.current(context):
        assert penstock.data.range(10).map_batches(Moody, concurrency=1).count() == 10


def test_a_constructor_that_always_raises_says_how_often_it_was_tried():
    class Broken:
        def __init__(self):
            raise OSError("no model here")

        def __call__(self, batch):
            return batch

    context = DataContext.get_current().copy()
    context.actor_init_retry_on_errors = True
    context.actor_init_max_retries = 2
    with (
        DataContext.current(context),
        pytest.raises(OSError, match=r"(?s)no model here.*try 3 of 3"),
    ):
        penstock.data.range(10).map_batches(Broken, concurrency=1).take_all()


@pytest.mark.parametrize("holds_gil", [True, False])
def test_a_batch_that_takes_too_long_is_ended_and_run_again(tmp_path, holds_gil):
    def hang(batch):
        if once(tmp_path / "passed"):
            library = ctypes.PyDLL(None) if holds_gil else ctypes.CDLL(None)
            library.sleep(1000)
        return batch

    ds = penstock.data.range(10).map_batches(hang, concurrency=1, batch_timeout_s=0.3)
    assert ds.take_all() == penstock.data.range(10).take_all()


def test_a_batch_that_always_takes_too_long_ends_the_job_in_words():
    def hang(batch):
        signal.pause()

    ds = penstock.data.range(10).map_batches(
        hang, concurrency=1, batch_timeout_s=0.2, max_task_retries=1
    )
    with pytest.raises(WorkerCrashedError, match=r"busy with one batch for .*batch_timeout_s"):
        ds.take_all()


def test_a_constructor_that_never_returns_ends_the_job_naming_the_stage():
    class Stuck:
        def __init__(self):
            signal.pause()

        def __call__(self, batch):
            return batch

    context = DataContext.get_current().copy()
    context.execution_no_progress_timeout_s = 0.5
    with (
        DataContext.current(context),
        pytest.raises(ExecutionTimeoutError, match=r"MapBatches\(Stuck\) 1 worker being built"),
    ):
        penstock.data.range(10).map_batches(Stuck, concurrency=1).take_all()


def test_a_killed_worker_of_a_forked_pool_is_replaced_too(tmp_path):
    class Model:
        def __call__(self, batch):
            if once(tmp_path / f"passed {batch['id'][0] // 300}"):
                os.kill(os.getpid(), signal.SIGKILL)
            return batch

    ds = penstock.data.range(ROWS).map_batches(Model, batch_size=10, concurrency=4)
    assert [row["id"] for row in ds.take_all()] == list(range(ROWS))
    assert restarts(ds) == [4]


def test_threads_of_one_process_die_one_death(tmp_path):
    class Moody:
        def __init__(self):
            if once(tmp_path / "built"):
                os._exit(1)

        def __call__(self, batch):
            if 30 in batch["id"] and once(tmp_path / "passed"):
                os._exit(1)
            return batch

    ds = penstock.data.range(100).map_batches(
        Moody,
        batch_size=2,
        compute=penstock.data.ThreadPoolStrategy(4),
        max_restarts=2,
        max_task_retries=1,
    )
    assert [row["id"] for row in ds.take_all()] == list(range(100))
    assert restarts(ds) == [2]


def test_of_threads_that_die_together_the_guilty_batch_is_named():
    def poison(batch):
        if batch["id"][0] == 8:
            os._exit(1)
        return batch

    ds = penstock.data.range(40).map_batches(
        poison,
        batch_size=1,
        compute=penstock.data.ThreadPoolStrategy(4),
        max_task_retries=1,
    )
    with pytest.raises(WorkerCrashedError, match=r"batch 8 \(1 rows"):
        ds.take_all()
