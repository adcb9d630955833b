"""Actors keep an instance, and answer calls one by one or in threads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from fake_hub import inline
from named_pipes import Gate, wait_at
from task_worker import (
    FAILED,
    LEAVING,
    TaskWorker,
    object_bytes,
)

import penstock
from penstock.core.references import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("sent_by_value")


class Counter:
    def __init__(self, start: int = 0) -> None:
        self.value = start

    def add(self, amount: int = 1) -> int:
        self.value += amount
        return self.value

    def leave(self) -> None:
        from penstock.core.control import exit_actor

        exit_actor()

    def exit(self) -> None:
        sys.exit(0)

    def count(self) -> Iterator[int]:
        yield from range(self.value)

    def wait(self, path: str) -> str:
        return wait_at(path)

    def fetch(self) -> Any:
        return penstock.get(ObjectRef(77))


def test_an_actor_keeps_its_state_between_calls() -> None:
    with TaskWorker() as worker:
        worker.construct(Counter, 5)
        for _ in range(3):
            worker.call("add", 2)
        assert [worker.result().objects() for _ in range(3)] == [[7], [9], [11]]
        worker.call("__ray_ready__")
        assert worker.result().objects() == [True]
        worker.call("__ray_call__", lambda self, more: self.value + more, 1)
        assert worker.result().objects() == [12]
        worker.call("nothing")
        told = worker.result().failure()
        assert isinstance(told.exception, AttributeError)
        assert told.function == "Counter.nothing"
        assert worker.stop() == 0


@pytest.mark.parametrize("method", ["leave", "exit", "__ray_terminate__"])
def test_an_actor_that_wants_to_end_says_so(method: str) -> None:
    with TaskWorker() as worker:
        worker.construct(Counter)
        worker.call(method)
        assert worker.result().flags == LEAVING
        assert worker.stop() == 0


def test_a_constructor_that_raises_says_so() -> None:
    class Broken:
        def __init__(self) -> None:
            raise KeyError("broken")

    with TaskWorker() as worker:
        worker.send(worker.define(Broken), kind=1)
        told = worker.result()
        assert told.flags == FAILED
        assert told.values[0]["flags"] == 1 | 4
        assert told.failure().function == "Broken.__init__"
        assert worker.stop() == 0


def test_calls_that_come_while_an_actor_waits_are_its_own() -> None:
    with TaskWorker() as worker:
        worker.construct(Counter)
        worker.call("fetch")
        worker.call("add")
        request = worker.hub.next(fake_hub.GET).take("Q")
        worker.hub.send_value(request, inline(object_bytes("there")))
        assert worker.result().objects() == ["there"]
        assert worker.result().objects() == [1]
        assert worker.stop() == 0


def test_calls_of_a_threaded_actor_run_at_once(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with TaskWorker() as worker:
        worker.construct(Counter, max_concurrency=2)
        waiting = worker.call("wait", gate.path)
        adding = worker.call("add")
        assert worker.result().task == adding
        gate.open()
        result = worker.result()
        assert (result.task, result.objects()) == (waiting, ["go"])
        assert worker.stop() == 0


def test_a_concurrency_group_has_threads_of_its_own(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with TaskWorker() as worker:
        worker.construct(Counter, concurrency_groups={"io": 1})
        worker.call("wait", gate.path)
        queued = worker.call("add")
        aside = worker.call("add", concurrency_group="io")
        assert worker.result().task == aside
        gate.open()
        assert worker.result().objects() == ["go"]
        assert worker.result().task == queued
        worker.call("add", concurrency_group="other")
        assert "no concurrency group 'other'" in str(worker.result().failure().exception)
        assert worker.stop() == 0
