"""Exceptions of every make come out of a job as what they are."""

from __future__ import annotations

import threading

import pytest

import penstock
from penstock.exceptions import RayTaskError


def raised_by_job(make):
    """What a job raises whose function raises what `make` returns."""

    def fail(batch):
        raise make()

    with pytest.raises(RayTaskError) as error:
        penstock.data.range(1).map_batches(fail).take_all()
    return error.value


class NeedsMoreError(Exception):
    def __init__(self, model, *, code):
        super().__init__(f"{model} failed")
        self.model = model
        self.code = code


class HoldsLockError(Exception):
    def __init__(self, *, lock):
        super().__init__("locked")
        self.lock = lock


class HasCauseError(Exception):
    @property
    def cause(self):
        return "itself"


def test_memory_errors_are_memory_errors():
    error = raised_by_job(lambda: MemoryError("no room"))
    assert isinstance(error, MemoryError)
    assert error.args == ("no room",)


def test_groups_are_groups():
    error = raised_by_job(lambda: ExceptionGroup("several", [ValueError(1), KeyError(2)]))
    assert isinstance(error, ExceptionGroup)
    assert [type(part) for part in error.exceptions] == [ValueError, KeyError]


def test_classes_whose_constructor_wants_more_than_their_arguments_keep_their_class():
    error = raised_by_job(lambda: NeedsMoreError("gpt", code=7))
    assert isinstance(error, NeedsMoreError)
    assert (error.model, error.code, error.args) == ("gpt", 7, ("gpt failed",))


def test_attributes_that_cannot_travel_stay_behind():
    error = raised_by_job(lambda: HoldsLockError(lock=threading.Lock()))
    assert isinstance(error, HoldsLockError)
    assert not hasattr(error, "lock")


def test_classes_with_a_property_of_our_names_are_still_the_cause():
    error = raised_by_job(lambda: HasCauseError("x"))
    assert isinstance(error.cause, HasCauseError)
