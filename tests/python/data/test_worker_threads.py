"""Workers share the cores: numeric libraries in them start no more threads than that."""

import os

import pytest

import penstock


def thread_counts(batch):
    return {"threads": [os.environ["OMP_NUM_THREADS"]]}


@pytest.fixture
def allowed():
    """Let this thread, and those that it starts, run on a few of the processors alone."""
    before = os.sched_getaffinity(0)

    def allow(most):
        few = sorted(before)[:most]
        os.sched_setaffinity(0, few)
        return len(few)

    yield allow
    os.sched_setaffinity(0, before)


def threads_of(monkeypatch, workers, declared):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    context = penstock.data.DataContext.get_current()
    monkeypatch.setattr(context.execution_options.resource_limits, "cpu", declared)
    dataset = penstock.data.range(1).map_batches(thread_counts, concurrency=workers)
    (row,) = dataset.take_all()
    return int(row["threads"])


@pytest.mark.parametrize(("workers", "share"), [(1, 2), (2, 1), (3, 1), (8, 1)])
def test_a_worker_gets_its_share_of_the_processors(monkeypatch, allowed, workers, share):
    there = allowed(2)
    assert threads_of(monkeypatch, workers, declared=2) == min(share, there)


@pytest.mark.parametrize("workers", [1, 20])
def test_processors_that_are_only_declared_give_no_threads(monkeypatch, allowed, workers):
    allowed(1)
    assert threads_of(monkeypatch, workers, declared=64) == 1


def test_a_worker_gets_no_more_than_was_declared(monkeypatch, allowed):
    allowed(2)
    assert threads_of(monkeypatch, workers=1, declared=1) == 1


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
