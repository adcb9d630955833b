"""Tasks that wait for each other are told so, instead of waiting for ever."""

from __future__ import annotations

from typing import Any

import pytest

import penstock
from penstock import exceptions

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote
class Caller:
    """Calls itself, or another."""

    def __init__(self) -> None:
        self.calls = 0

    def meet(self, other: Any) -> Any:
        """Wait for what another one's `answer` returns."""
        return penstock.get(other.answer.remote())

    def meet_itself(self, timeout_s: float | None = None) -> Any:
        """Wait for a call of its own."""
        me = penstock.get_runtime_context().current_actor
        return penstock.get(me.answer.remote(), timeout=timeout_s)

    def meet_each(self, others: list[Any]) -> Any:
        """Wait for the first, who is to wait for the others."""
        if not others:
            return self.meet_itself()
        first, *rest = others
        return penstock.get(first.meet_each.remote(rest))

    def through_function(self) -> Any:
        """Wait for a function that waits for a call of its own."""
        me = penstock.get_runtime_context().current_actor
        return penstock.get(_ask.remote(me))

    def given_to_function(self) -> Any:
        """Wait for a function that is given what a call of its own returns."""
        me = penstock.get_runtime_context().current_actor
        return penstock.get(_same.remote(me.answer.remote()))

    def wait_for_itself(self, others: list[Any], enough: int) -> Any:
        """Wait for some of others' calls and one of its own."""
        me = penstock.get_runtime_context().current_actor
        mine = me.answer.remote()
        ready, _ = penstock.wait([mine, *others], num_returns=enough)
        return mine in ready

    def iterate_over_itself(self) -> Any:
        """Wait for an item that a call of its own is to yield."""
        me = penstock.get_runtime_context().current_actor
        return next(me.items.remote())

    def items(self) -> Any:
        """Yield one item."""
        yield 1

    def answer(self) -> int:
        """Return how often it was asked."""
        self.calls += 1
        return self.calls


@penstock.remote
def _ask(actor: Any) -> Any:
    return penstock.get(actor.answer.remote())


@penstock.remote
def _same(value: Any) -> Any:
    return value


def test_an_actor_that_waits_for_itself_is_told_so() -> None:
    caller = Caller.remote()
    with pytest.raises(
        exceptions.DeadlockError, match=r"Caller\.meet_itself waits for Caller\.answer"
    ):
        penstock.get(caller.meet_itself.remote(), timeout=60)


def test_the_actor_goes_on_afterwards() -> None:
    caller = Caller.remote()
    with pytest.raises(exceptions.DeadlockError):
        penstock.get(caller.meet_itself.remote(), timeout=60)
    assert penstock.get(caller.answer.remote(), timeout=60) == 2  # What it asked for itself ran.


@pytest.mark.parametrize("way", ["through_function", "given_to_function"])
def test_a_function_on_the_way_back_to_the_actor_does_not_hide_it(way: str) -> None:
    caller = Caller.remote()
    with pytest.raises(exceptions.DeadlockError):
        penstock.get(getattr(caller, way).remote(), timeout=60)


def test_a_wait_that_can_never_have_enough_is_told_so() -> None:
    other = _same.remote(1)
    with pytest.raises(
        exceptions.DeadlockError, match=r"Caller\.wait_for_itself waits for Caller\.answer"
    ):
        penstock.get(Caller.remote().wait_for_itself.remote([other], 2), timeout=60)


def test_a_wait_that_others_are_enough_for_ends() -> None:
    other = _same.remote(1)
    assert penstock.get(Caller.remote().wait_for_itself.remote([other], 1), timeout=60) is False


def test_an_item_that_never_comes_is_told_so() -> None:
    with pytest.raises(
        exceptions.DeadlockError, match=r"Caller\.iterate_over_itself waits for Caller\.items"
    ):
        penstock.get(Caller.remote().iterate_over_itself.remote(), timeout=60)


def test_actors_that_wait_in_a_ring_are_told_so() -> None:
    callers = [Caller.remote() for _ in range(3)]
    first, *others = callers
    with pytest.raises(exceptions.DeadlockError):
        penstock.get(first.meet_each.remote([*others, first]), timeout=60)


def test_a_constructor_that_waits_for_its_own_actor_is_told_so() -> None:
    @penstock.remote
    class Impatient:
        def __init__(self) -> None:
            me = penstock.get_runtime_context().current_actor
            penstock.get(me.answer.remote())

        def answer(self) -> int:
            return 1

    with pytest.raises(exceptions.ActorDiedError, match="wait for each other"):
        penstock.get(Impatient.remote().answer.remote(), timeout=60)


def test_a_chain_of_waits_is_none() -> None:
    first, *others = [Caller.remote() for _ in range(3)]
    last = Caller.remote()

    @penstock.remote
    def start() -> Any:
        return penstock.get(first.meet.remote(last))

    assert penstock.get(start.remote(), timeout=60) == 1
    assert penstock.get([other.meet.remote(last) for other in others], timeout=60) in (
        [2, 3],
        [3, 2],
    )


def test_an_actor_with_room_for_another_call_may_wait_for_itself() -> None:
    caller = Caller.options(max_concurrency=2).remote()
    assert penstock.get(caller.meet_itself.remote(), timeout=60) == 1


def test_an_actor_full_of_calls_that_wait_for_it_is_told_so() -> None:
    caller = Caller.options(max_concurrency=2).remote()
    calls = [caller.meet_itself.remote() for _ in range(2)]
    ends = []
    for call in calls:
        try:
            ends.append(penstock.get(call, timeout=60))
        except exceptions.DeadlockError:
            ends.append(None)
    assert len([end for end in ends if end is None]) <= 1


def test_a_wait_with_a_timeout_ends_by_that() -> None:
    caller = Caller.remote()
    with pytest.raises(exceptions.GetTimeoutError):
        penstock.get(caller.meet_itself.remote(0.2), timeout=60)
