"""Instances of classes live in processes of their own and answer calls in order."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from named_pipes import wait_at

import penstock
from penstock import exceptions

if TYPE_CHECKING:
    from named_pipes import Gate

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote
class Counter:
    def __init__(self, start: int = 0) -> None:
        self.value = start

    def increase(self, by: int = 1) -> int:
        self.value += by
        return self.value

    def process(self) -> int:
        return os.getpid()

    def fail(self) -> None:
        raise ValueError("of the actor")

    def die(self) -> None:
        os._exit(3)

    @penstock.method(num_returns=2)
    def pair(self) -> tuple[int, int]:
        return self.value, -self.value

    def items(self, count: int) -> object:
        yield from range(count)


def test_calls_run_in_the_order_made_in_one_process() -> None:
    counter = Counter.remote(10)
    assert penstock.get([counter.increase.remote() for _ in range(100)]) == list(range(11, 111))
    assert penstock.get(counter.process.remote()) != os.getpid()


def test_an_actor_serves_while_the_name_of_its_handle_is_nobody_s() -> None:
    assert penstock.get(Counter.remote(5).increase.remote()) == 6


def test_actors_keep_their_state_apart() -> None:
    one, other = Counter.remote(), Counter.remote(100)
    penstock.get(one.increase.remote())
    assert penstock.get([one.increase.remote(), other.increase.remote()]) == [2, 101]


def test_methods_may_return_several_values_and_yield() -> None:
    counter = Counter.remote(4)
    assert penstock.get(counter.pair.remote()) == [4, -4]
    assert [penstock.get(item) for item in counter.items.remote(3)] == [0, 1, 2]


def test_an_exception_leaves_the_actor_alive() -> None:
    counter = Counter.remote()
    with pytest.raises(ValueError, match="of the actor"):
        penstock.get(counter.fail.remote())
    assert penstock.get(counter.increase.remote()) == 1


def test_an_unknown_method_is_no_attribute() -> None:
    counter = Counter.remote()
    with pytest.raises(AttributeError, match="no method 'decrease'"):
        counter.decrease.remote()


def test_arguments_that_do_not_fit_a_method_are_refused_at_the_call() -> None:
    @penstock.remote
    class Every:
        def plain(self, a: int, b: int = 0) -> int:
            return a + b

        async def later(self, *, named: int) -> int:
            return named

        @staticmethod
        def static(a: int) -> int:
            return a

        @classmethod
        def of_class(cls, a: int) -> int:
            return a

        def open(*args: object, **kwargs: object) -> int:
            return len(args) + len(kwargs)

    every = Every.remote()
    fits = [
        every.plain.remote(1),
        every.plain.remote(1, b=2),
        every.plain.options(num_returns=1).remote(a=1),
        every.later.remote(named=4),
        every.static.remote(5),
        every.of_class.remote(6),
        every.open.remote(1, 2, c=3),
    ]
    assert penstock.get(fits) == [1, 3, 1, 4, 5, 6, 4]
    for refused in (
        every.plain.remote,
        lambda: every.plain.remote(1, 2, 3),
        lambda: every.plain.remote(1, c=2),
        lambda: every.plain.options(num_returns=1).remote(),
        lambda: every.later.remote(4),
        every.static.remote,
        lambda: every.of_class.remote(6, 7),
    ):
        with pytest.raises(TypeError, match=r"Every\.(plain|later|static|of_class)\("):
            refused()
    with pytest.raises(TypeError, match=r"Every\.plain\(a.*: missing a required argument: 'a'"):
        every.plain.remote()


def _unpickled() -> Any:
    return pickle.loads(pickle.dumps(Counter.remote()))


def _found_by_name() -> Any:
    Counter.options(name="found", get_if_exists=True, lifetime="detached").remote()
    return penstock.get_actor("found")


def _made_already() -> Any:
    _found_by_name()
    return Counter.options(name="found", get_if_exists=True).remote()


@pytest.mark.parametrize("handle_of", [_unpickled, _found_by_name, _made_already])
def test_handles_from_elsewhere_refuse_arguments_at_the_call_too(handle_of: Any) -> None:
    handle = handle_of()
    for call in (
        lambda: handle.increase.remote(to=3),
        lambda: handle.increase.remote(1, 2),
        lambda: handle.increase.options(name="more").remote(to=3),
        handle.items.remote,
    ):
        with pytest.raises(TypeError, match=r"Counter\.(increase|items)\("):
            call()
    before = penstock.get(handle.increase.remote())
    assert penstock.get(handle.increase.remote(by=3)) == before + 3


def test_a_handle_inside_of_a_task_refuses_arguments_at_the_call_too() -> None:
    @penstock.remote
    def misuse(counter: Any) -> str:
        try:
            counter.increase.remote(to=3)
        except TypeError as error:
            return str(error)
        return "taken"

    assert "unexpected keyword argument 'to'" in penstock.get(misuse.remote(Counter.remote()))


def test_what_methods_take_makes_a_handle_little_larger() -> None:
    without = len(pickle.dumps(("Counter", {"increase": {}, "pair": {}, "items": {}, "fail": {}})))
    assert len(pickle.dumps(Counter.remote())) < without + 300


def test_handles_may_be_passed_to_tasks_and_actors() -> None:
    @penstock.remote
    def use(counter: penstock.ActorHandle, times: int) -> None:
        penstock.get([counter.increase.remote() for _ in range(times)])

    @penstock.remote
    class User:
        def __init__(self, counter: penstock.ActorHandle) -> None:
            self.counter = counter

        def use(self) -> int:
            return penstock.get(self.counter.increase.remote())

    counter = Counter.remote()
    penstock.get([use.remote(counter, 5), use.remote(counter, 5)])
    assert penstock.get(User.remote(counter).use.remote()) == 11


def test_a_constructor_that_raises_has_every_call_fail_with_its_reason() -> None:
    @penstock.remote
    class Broken:
        def __init__(self) -> None:
            raise ValueError("cannot be built")

        def method(self) -> None:
            pass

    broken = Broken.remote()
    for _ in range(2):
        with pytest.raises(exceptions.ActorDiedError, match="cannot be built"):
            penstock.get(broken.method.remote())


def test_an_actor_that_dies_fails_its_calls_with_the_cause() -> None:
    counter = Counter.remote()
    with pytest.raises(exceptions.ActorDiedError, match="exited with code 3"):
        penstock.get(counter.die.remote())
    with pytest.raises(exceptions.RayActorError):
        penstock.get(counter.increase.remote())


def test_an_actor_with_restarts_comes_back_as_it_was_built() -> None:
    counter = Counter.options(max_restarts=1, max_task_retries=1).remote(7)
    assert penstock.get(counter.increase.remote()) == 8
    first = penstock.get(counter.process.remote())
    with pytest.raises(exceptions.RayActorError):
        penstock.get(counter.die.options(max_task_retries=0).remote())
    assert penstock.get(counter.increase.remote()) == 8
    assert penstock.get(counter.process.remote()) != first


def test_a_call_that_a_restart_cuts_off_is_told_so_and_the_next_ones_are_answered() -> None:
    @penstock.remote(max_restarts=1)
    class Fragile:
        def die(self) -> None:
            os._exit(3)

        def answer(self) -> int:
            return 1

    fragile = Fragile.remote()
    with pytest.raises(exceptions.ActorUnavailableError, match=r"Fragile\.die"):
        penstock.get(fragile.die.remote())
    assert penstock.get(fragile.answer.remote()) == 1


def test_calls_in_flight_are_retried_where_that_is_asked_for(tmp_path: Path) -> None:
    mark = str(tmp_path / "died")

    @penstock.remote(max_restarts=1, max_task_retries=1)
    class Once:
        def die_once(self) -> str:
            if not Path(mark).exists():
                Path(mark).touch()
                os._exit(1)
            return "alive"

    assert penstock.get(Once.remote().die_once.remote()) == "alive"


def test_kill_ends_an_actor_at_once(gate: Gate) -> None:
    @penstock.remote
    class Waiting:
        def wait(self, path: str) -> None:
            wait_at(path)

    waiting = Waiting.remote()
    call = waiting.wait.remote(gate.path)
    penstock.kill(waiting)
    with pytest.raises(exceptions.RayActorError):
        penstock.get(call)
    with pytest.raises(ValueError, match="handle of an actor"):
        penstock.kill(call)


def test_an_actor_ends_when_its_last_handle_goes(gate: Gate) -> None:
    counter = Counter.remote()
    process = penstock.get(counter.process.remote())
    descriptor = os.pidfd_open(process)
    del counter
    import select

    assert select.select([descriptor], [], [], 60)[0]
    os.close(descriptor)


def test_named_actors_are_found_by_name() -> None:
    counter = Counter.options(name="by_name").remote(1)
    assert penstock.get(penstock.get_actor("by_name").increase.remote()) == 2

    @penstock.remote
    def increase() -> int:
        return penstock.get(penstock.get_actor("by_name").increase.remote())

    assert penstock.get(increase.remote()) == 3
    with pytest.raises(ValueError, match="by_name"):
        Counter.options(name="by_name").remote()
    same = Counter.options(name="by_name", get_if_exists=True).remote(50)
    assert penstock.get(same.increase.remote()) == 4
    with pytest.raises(ValueError, match="nobody"):
        penstock.get_actor("nobody")
    penstock.kill(counter)


def test_a_detached_actor_outlives_its_handles() -> None:
    Counter.options(name="detached", lifetime="detached").remote(1)
    found = penstock.get_actor("detached")
    assert penstock.get(found.increase.remote()) == 2
    penstock.kill(found)


def test_names_in_different_namespaces_do_not_meet() -> None:
    one = Counter.options(name="twin", namespace="left").remote(1)
    other = Counter.options(name="twin", namespace="right").remote(2)
    found = penstock.get_actor("twin", namespace="right")
    assert penstock.get(found.increase.remote()) == 3
    assert penstock.get(one.increase.remote()) == 2
    del other


def test_async_methods_run_together() -> None:
    @penstock.remote
    class Signal:
        def __init__(self) -> None:
            self.event = asyncio.Event()

        async def wait(self) -> str:
            await self.event.wait()
            return "sent"

        async def send(self) -> None:
            self.event.set()

    signal = Signal.remote()
    waiting = [signal.wait.remote() for _ in range(10)]
    penstock.get(signal.send.remote())
    assert penstock.get(waiting) == ["sent"] * 10


def test_max_concurrency_runs_calls_in_threads() -> None:
    @penstock.remote(max_concurrency=2)
    class Meeting:
        def __init__(self) -> None:
            self.barrier = threading.Barrier(2)

        def meet(self) -> bool:
            self.barrier.wait(60)
            return True

    meeting = Meeting.remote()
    assert penstock.get([meeting.meet.remote(), meeting.meet.remote()]) == [True, True]


def test_concurrency_groups_keep_calls_apart(gate: Gate) -> None:
    @penstock.remote(concurrency_groups={"io": 1})
    class Grouped:
        @penstock.method(concurrency_group="io")
        def wait(self, path: str) -> str:
            return wait_at(path)

        def answer(self) -> int:
            return 42

    grouped = Grouped.remote()
    waiting = grouped.wait.remote(gate.path)
    assert penstock.get(grouped.answer.remote()) == 42
    gate.open()
    assert penstock.get(waiting) == "go"


def test_max_pending_calls_refuses_what_is_too_much(gate: Gate) -> None:
    @penstock.remote(max_pending_calls=2)
    class Slow:
        def wait(self, path: str) -> str:
            return wait_at(path)

        def nothing(self) -> None:
            pass

    slow = Slow.remote()
    first = slow.wait.remote(gate.path)
    others = [slow.nothing.remote() for _ in range(5)]
    with pytest.raises(exceptions.PendingCallsLimitExceeded):
        penstock.get(others)
    gate.open()
    assert penstock.get(first) == "go"


def test_exit_actor_ends_the_actor_that_calls_it() -> None:
    from penstock.actor import exit_actor

    @penstock.remote
    class Leaving:
        def leave(self) -> None:
            exit_actor()

        def nothing(self) -> None:
            pass

    leaving = Leaving.remote()
    leaving.leave.remote()
    with pytest.raises(exceptions.RayActorError):
        penstock.get(leaving.nothing.remote())


def test_actors_know_who_they_are() -> None:
    @penstock.remote
    class Self:
        def who(self) -> tuple[str | None, str | None, bool]:
            context = penstock.get_runtime_context()
            return (
                context.get_actor_id(),
                context.get_actor_name(),
                context.was_current_actor_reconstructed,
            )

        def itself(self) -> penstock.ActorHandle:
            return penstock.get_runtime_context().current_actor

    actor = Self.options(name="known").remote()
    number, name, restarted = penstock.get(actor.who.remote())
    assert number == actor._actor_id
    assert (name, restarted) == ("known", False)
    assert penstock.get(actor.itself.remote()) == actor


def test_an_actor_holds_its_processors_while_it_lives() -> None:
    before = penstock.available_resources().get("CPU", 0)
    counter = Counter.options(num_cpus=1).remote()
    penstock.get(counter.increase.remote())
    assert penstock.available_resources().get("CPU", 0) == before - 1
    penstock.kill(counter)

    @penstock.remote
    def run() -> None:
        pass

    penstock.get(run.options(num_cpus=before).remote())  # Waits for all of them.
