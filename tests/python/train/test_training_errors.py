"""Tests of how a training that failed tells of it."""

from __future__ import annotations

import pickle

import pytest

from penstock.exceptions import ActorDiedError, RayTaskError
from penstock.train import TrainingFailedError
from penstock.train.errors import WorkerFailure, first_of, training_failed

TRACEBACK = (
    'Traceback (most recent call last):\n  File "loop.py", line 1, in loop\nValueError: no\n'
)


def raised(rank: int, at_s: float, cause: BaseException | None = None) -> WorkerFailure:
    error = RayTaskError("loop", TRACEBACK, cause or ValueError("no")).as_instanceof_cause()
    return WorkerFailure(rank, error, died=False, failed_at_s=at_s)


def died(rank: int, at_s: float) -> WorkerFailure:
    return WorkerFailure(rank, ActorDiedError("killed by signal 9"), died=True, failed_at_s=at_s)


def test_the_error_is_of_the_users_class_and_begins_with_their_traceback():
    error = training_failed([raised(1, 0.0)], 2, 0)
    assert isinstance(error, TrainingFailedError)
    assert isinstance(error, ValueError)
    assert isinstance(error, RayTaskError)
    assert str(error).startswith(TRACEBACK.rstrip())
    assert "Worker 1 of 2 raised this." in str(error)
    assert isinstance(error.__cause__, ValueError)
    assert list(error.worker_failures) == [1]


def test_attributes_of_the_users_error_are_there():
    error = training_failed([raised(0, 0.0, OSError(28, "disk full"))], 1, 0)
    assert isinstance(error, OSError)
    assert error.errno == 28


def test_an_error_that_cannot_be_derived_from_is_a_failed_training_all_the_same():
    error = training_failed([raised(0, 0.0, SystemExit(3))], 1, 0)
    assert isinstance(error, TrainingFailedError)
    assert str(error).startswith("Traceback")


def test_the_error_survives_pickling():
    error = pickle.loads(pickle.dumps(training_failed([raised(1, 0.0)], 2, 0)))
    assert isinstance(error, TrainingFailedError)
    assert isinstance(error, ValueError)
    assert str(error).startswith("Traceback")


def test_a_dead_worker_is_told_with_its_cause():
    error = training_failed([died(1, 0.0)], 2, 3)
    assert type(error) is TrainingFailedError
    assert str(error).startswith("Worker 1 of 2 died: killed by signal 9")
    assert "started again 3 times" in str(error)
    assert isinstance(error.__cause__, ActorDiedError)


@pytest.mark.parametrize(
    ("failures", "first"),
    [
        ([raised(0, 2.0), raised(1, 1.0)], 1),
        ([raised(0, 1.0), died(1, 2.0)], 1),
        ([died(1, 2.0), died(0, 1.0)], 0),
    ],
)
def test_what_others_failed_of_is_told_first(failures, first):
    assert first_of(failures).rank == first
