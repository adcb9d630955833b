"""Workers share the cores: numeric libraries in them start no more threads than that."""

import os

import pytest

import penstock


def thread_counts(batch):
    return {"threads": [os.environ["OMP_NUM_THREADS"]]}


@pytest.mark.parametrize(("workers", "threads"), [(1, "4"), (2, "2"), (3, "1"), (8, "1")])
def test_a_worker_gets_its_share_of_the_processors(monkeypatch, workers, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    context = penstock.data.DataContext.get_current()
    monkeypatch.setattr(context.execution_options.resource_limits, "cpu", 4)
    dataset = penstock.data.range(1).map_batches(thread_counts, concurrency=workers)
    assert dataset.take_all() == [{"threads": threads}]


def test_a_number_that_the_user_has_set_is_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    dataset = penstock.data.range(1).map_batches(thread_counts, concurrency=1)
    assert dataset.take_all() == [{"threads": "7"}]


def blas_timeout(batch):
    return {"timeout": [os.environ["OPENBLAS_THREAD_TIMEOUT"]]}


def test_idle_blas_threads_of_a_worker_sleep_soon(monkeypatch):
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    rows = penstock.data.range(1).map_batches(blas_timeout).take_all()
    assert rows == [{"timeout": "20"}]


def test_when_idle_blas_threads_sleep_is_the_users_to_say(monkeypatch):
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "26")
    rows = penstock.data.range(1).map_batches(blas_timeout).take_all()
    assert rows == [{"timeout": "26"}]
