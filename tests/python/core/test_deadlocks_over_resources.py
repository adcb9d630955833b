"""Tasks that wait for what can never get its resources, as they hold those themselves."""

from __future__ import annotations

from typing import Any

import pytest

import penstock
from penstock import exceptions

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote(resources={"seat": 2})
def both_seats() -> str:
    """Return, where nobody else has a seat."""
    return "sat"


@penstock.remote(resources={"seat": 1})
def one_seat() -> str:
    """Return, where a seat is free."""
    return "sat"


def _get(reference: Any) -> Any:
    return penstock.get(reference)


def _wait(reference: Any) -> Any:
    return penstock.wait([reference])


@pytest.mark.parametrize("verb", [_get, _wait])
def test_a_task_that_holds_what_another_needs_and_waits_for_it_is_told_so(verb: Any) -> None:
    @penstock.remote(resources={"seat": 1})
    def outer() -> Any:
        return verb(both_seats.remote())

    with pytest.raises(
        exceptions.DeadlockError,
        match=r"outer waits for .*both_seats, which waits for 2 of the resource 'seat', held by "
        r".*outer",
    ):
        penstock.get(outer.remote(), timeout=60)
    assert penstock.get(both_seats.remote(), timeout=60) == "sat"


def test_an_actor_that_holds_what_a_task_needs_and_waits_for_it_is_told_so() -> None:
    @penstock.remote(resources={"seat": 1})
    class Sitting:
        def ask(self) -> Any:
            return penstock.get(both_seats.remote())

        def answer(self) -> str:
            return "here"

    sitting = Sitting.remote()
    with pytest.raises(exceptions.DeadlockError, match=r"'seat', held by .*Sitting"):
        penstock.get(sitting.ask.remote(), timeout=60)
    assert penstock.get(sitting.answer.remote(), timeout=60) == "here"


def test_an_actor_that_can_never_be_built_is_found_behind_its_call() -> None:
    @penstock.remote(resources={"seat": 2})
    class Sitting:
        def answer(self) -> str:
            return "here"

    @penstock.remote(resources={"seat": 1})
    def outer() -> Any:
        sitting = Sitting.remote()
        return penstock.get(sitting.answer.remote())

    with pytest.raises(exceptions.DeadlockError, match=r"held by .*outer"):
        penstock.get(outer.remote(), timeout=60)


def test_a_chain_of_tasks_that_hold_all_of_a_resource_is_told_so() -> None:
    @penstock.remote(resources={"seat": 1})
    def inner() -> Any:
        return penstock.get(one_seat.remote())

    @penstock.remote(resources={"seat": 1})
    def outer() -> Any:
        return penstock.get(inner.remote())

    with pytest.raises(exceptions.DeadlockError, match=r"one_seat, .*'seat', held by"):
        penstock.get(outer.remote(), timeout=60)


def test_what_another_task_will_give_back_is_waited_for() -> None:
    @penstock.remote(resources={"seat": 1})
    def outer() -> Any:
        return penstock.get(one_seat.remote())

    @penstock.remote(resources={"seat": 1})
    def other() -> str:
        return "done"

    waiting = [outer.remote(), other.remote()]
    assert penstock.get(waiting, timeout=60) == ["sat", "done"]


def test_processors_are_given_back_meanwhile() -> None:
    @penstock.remote(num_cpus=2)
    def all_processors() -> str:
        return "ran"

    @penstock.remote(num_cpus=2)
    def outer() -> Any:
        return penstock.get(all_processors.remote())

    assert penstock.get(outer.remote(), timeout=60) == "ran"


def test_with_a_timeout_the_wait_ends_by_that() -> None:
    @penstock.remote(resources={"seat": 1})
    def outer() -> Any:
        reference = both_seats.remote()
        ready, _ = penstock.wait([reference], timeout=0.1)
        try:
            penstock.get(reference, timeout=0.1)
        except exceptions.GetTimeoutError:
            return len(ready)

    assert penstock.get(outer.remote(), timeout=60) == 0


def test_the_task_goes_on_afterwards_with_its_processor() -> None:
    @penstock.remote(resources={"seat": 1}, num_cpus=2)
    def outer() -> Any:
        reference = both_seats.remote()
        try:
            penstock.get(reference)
        except exceptions.DeadlockError:
            return penstock.available_resources()["CPU"]

    assert penstock.get(outer.remote(), timeout=60) == 0
