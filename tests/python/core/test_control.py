"""`cancel` and `kill`, as a program calls them."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from named_pipes import Gate, wait_at

import penstock
from penstock import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote
def begin_and_wait(begun: str, never: str) -> None:
    """Say where it runs, then wait at a gate that nobody opens."""
    Path(begun).write_text(str(os.getpid()))
    wait_at(never)


@pytest.fixture
def begun(tmp_path: Path) -> str:
    """Make a pipe that a task writes to once it runs."""
    os.mkfifo(tmp_path / "begun")
    return str(tmp_path / "begun")


def test_a_running_task_that_is_cancelled_ends(begun: str, gate: Gate) -> None:
    task = begin_and_wait.remote(begun, gate.path)
    wait_at(begun)
    penstock.cancel(task)
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(task)
    penstock.cancel(task)  # It has ended: nothing happens.


def test_a_task_that_waits_for_its_argument_is_dropped(gate: Gate, tmp_path: Path) -> None:
    @penstock.remote
    def wait() -> str:
        return wait_at(gate.path)

    @penstock.remote
    def mark(_: str) -> None:
        (tmp_path / "ran").touch()

    argument = wait.remote()
    task = mark.remote(argument)
    penstock.cancel(task)
    gate.open()
    assert penstock.get(argument) == "go"
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(task)
    assert not (tmp_path / "ran").exists()


def test_a_task_that_has_ended_keeps_its_result() -> None:
    @penstock.remote
    def one() -> int:
        return 1

    task = one.remote()
    assert penstock.get(task) == 1
    penstock.cancel(task)
    assert penstock.get(task) == 1


def test_force_ends_the_process_of_a_task_that_does_not_listen(begun: str, gate: Gate) -> None:
    @penstock.remote(max_retries=3)
    def stubborn() -> None:
        Path(begun).write_text(str(os.getpid()))
        while True:
            try:
                wait_at(gate.path)
            except BaseException:  # noqa: BLE001  # It is the point.
                continue

    task = stubborn.remote()
    process = int(wait_at(begun))
    watched = os.pidfd_open(process)
    penstock.cancel(task, force=True)
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(task)
    os.close(watched)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize("recursive", [True, False])
def test_what_a_task_has_started_is_cancelled_with_it_where_that_is_asked_for(
    begun: str, gate: Gate, second_gate: Gate, tmp_path: Path, *, recursive: bool
) -> None:
    inner_begun = Gate(tmp_path / "inner_begun").path

    @penstock.remote
    def inner() -> str:
        Path(inner_begun).write_text("begun")
        return wait_at(gate.path)

    @penstock.remote
    def outer(keeper: Any) -> Any:
        started = inner.remote()
        penstock.get(keeper.keep.remote([started]))
        Path(begun).write_text("begun")
        return wait_at(second_gate.path)

    @penstock.remote
    class Keeper:
        def keep(self, references: list[Any]) -> None:
            self.references = references

        def kept(self) -> list[Any]:
            return self.references

    keeper = Keeper.remote()
    task = outer.remote(keeper)
    wait_at(begun)
    wait_at(inner_begun)
    (started,) = penstock.get(keeper.kept.remote())
    penstock.cancel(task, recursive=recursive)
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(task)
    if recursive:
        with pytest.raises(exceptions.TaskCancelledError):
            penstock.get(started)
    else:
        gate.open()
        assert penstock.get(started) == "go"


@pytest.mark.parametrize("verb", ["cancel", "close"])
def test_a_generator_that_is_cancelled_yields_no_more(begun: str, gate: Gate, verb: str) -> None:
    @penstock.remote
    def items() -> Iterator[Any]:
        yield 1
        Path(begun).write_text("begun")
        yield wait_at(gate.path)

    generator = items.remote()
    assert penstock.get(next(generator)) == 1
    wait_at(begun)
    if verb == "cancel":
        penstock.cancel(generator)
    else:
        generator.close()
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(next(generator))
    assert list(generator) == []


def test_a_call_that_waits_behind_another_is_dropped(begun: str, gate: Gate) -> None:
    @penstock.remote
    class Slow:
        def wait(self) -> str:
            Path(begun).write_text("begun")
            return wait_at(gate.path)

        def nothing(self) -> str:
            return "done"

    slow = Slow.remote()
    first, second, third = slow.wait.remote(), slow.nothing.remote(), slow.nothing.remote()
    wait_at(begun)
    penstock.cancel(second)
    gate.open()
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(second)
    assert penstock.get([first, third]) == ["go", "done"]


def test_an_asynchronous_call_that_runs_is_cancelled_and_the_actor_goes_on(begun: str) -> None:
    @penstock.remote
    class Waiting:
        async def wait(self) -> None:
            await asyncio.to_thread(Path(begun).write_text, "begun")
            await asyncio.Event().wait()

        async def nothing(self) -> str:
            return "done"

    waiting = Waiting.remote()
    call = waiting.wait.remote()
    wait_at(begun)
    penstock.cancel(call)
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(call)
    assert penstock.get(waiting.nothing.remote()) == "done"


def test_a_call_in_a_thread_learns_that_it_was_cancelled(begun: str) -> None:
    @penstock.remote(max_concurrency=2)
    class Polling:
        def wait(self) -> str:
            context = penstock.get_runtime_context()
            assert not context.is_canceled()
            Path(begun).write_text("begun")
            while not context.is_canceled():
                self.turn.wait(0.01)
            return "stopped"

        def __init__(self) -> None:
            self.turn = threading.Event()

    polling = Polling.remote()
    call = polling.wait.remote()
    wait_at(begun)
    penstock.cancel(call)
    assert penstock.get(call, timeout=60) == "stopped"


def test_who_cannot_be_cancelled_in_that_way_does_not_ask() -> None:
    @penstock.remote
    class Asynchronous:
        async def ask(self) -> bool:
            return penstock.get_runtime_context().is_canceled()

    with pytest.raises(RuntimeError, match="without async"):
        penstock.get(Asynchronous.remote().ask.remote())
    with pytest.raises(RuntimeError, match="for tasks"):
        penstock.get_runtime_context().is_canceled()


def test_cancel_takes_references_alone() -> None:
    @penstock.remote
    class Nothing:
        pass

    for other in (3, None, [penstock.put(1)], Nothing.remote()):
        with pytest.raises(TypeError, match=f"got: {type(other).__name__}"):
            penstock.cancel(other)


def test_a_call_of_an_actor_is_not_cancelled_by_force(begun: str, gate: Gate) -> None:
    @penstock.remote
    class Slow:
        def wait(self) -> str:
            Path(begun).write_text("begun")
            return wait_at(gate.path)

        def items(self) -> Iterator[int]:
            yield 1

    slow = Slow.remote()
    call = slow.wait.remote()
    queued, generator = slow.wait.remote(), slow.items.remote()
    wait_at(begun)
    for running in (call, queued, generator):
        with pytest.raises(ValueError, match=r"force=True is not supported .*Slow"):
            penstock.cancel(running, force=True)
    penstock.cancel(queued)
    gate.open()
    assert penstock.get(call) == "go"
    assert [penstock.get(item) for item in generator] == [1]
    penstock.cancel(call, force=True)  # It has ended: nothing happens.
    assert penstock.get(call) == "go"


@pytest.mark.parametrize("force", [False, True])
def test_what_was_put_is_not_cancelled(*, force: bool) -> None:
    kept = penstock.put("kept")
    penstock.cancel(kept, force=force)
    assert penstock.get(kept) == "kept"


def test_force_ends_a_generator_too(begun: str, gate: Gate) -> None:
    @penstock.remote
    def items() -> Iterator[Any]:
        yield 1
        Path(begun).write_text("begun")
        yield wait_at(gate.path)

    generator = items.remote()
    assert penstock.get(next(generator)) == 1
    wait_at(begun)
    penstock.cancel(generator, force=True)
    with pytest.raises(exceptions.TaskCancelledError):
        penstock.get(next(generator))
    assert list(generator) == []
    penstock.cancel(generator, force=True)  # It has ended: nothing happens.


def test_a_killed_actor_comes_back_where_that_is_asked_for() -> None:
    @penstock.remote(max_restarts=1, max_task_retries=-1)
    class Counter:
        def __init__(self) -> None:
            self.value = 0

        def increase(self) -> int:
            self.value += 1
            return self.value

        def process(self) -> int:
            return os.getpid()

    counter = Counter.remote()
    assert penstock.get([counter.increase.remote() for _ in range(2)]) == [1, 2]
    first = penstock.get(counter.process.remote())
    penstock.kill(counter, no_restart=False)
    assert penstock.get(counter.process.remote()) != first
    assert penstock.get(counter.increase.remote()) == 1
    penstock.kill(counter, no_restart=False)  # It may begin again but once.
    with pytest.raises(exceptions.ActorDiedError):
        penstock.get(counter.increase.remote())


def test_a_killed_actor_stays_away_otherwise() -> None:
    @penstock.remote(max_restarts=-1)
    class Nothing:
        def nothing(self) -> None:
            pass

    nothing = Nothing.remote()
    penstock.get(nothing.nothing.remote())
    penstock.kill(nothing)
    with pytest.raises(exceptions.ActorDiedError):
        penstock.get(nothing.nothing.remote())
