"""Tasks that are cancelled, or wait, while they run."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from fake_hub import inline
from named_pipes import Gate, wait_at
from task_worker import (
    FAILED,
    WAS_CANCELLED,
    TaskWorker,
    interrupt,
    object_bytes,
)

import penstock
from penstock.core.references import ObjectRef

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("sent_by_value")


def double(value: int) -> int:
    return 2 * value


def test_a_running_task_that_is_cancelled_stops(worker: TaskWorker, tmp_path: Path) -> None:
    gate, never = Gate(tmp_path / "gate"), Gate(tmp_path / "never")

    def wait(path: str, never_path: str) -> None:
        wait_at(path)
        wait_at(never_path)

    task = worker.send(worker.define(wait), gate.path, never.path)
    gate.open()
    interrupt(worker, task)
    assert worker.result().flags == FAILED | WAS_CANCELLED
    assert worker.run(double, 1).objects() == [2]


def test_a_signal_about_another_task_stops_nothing(worker: TaskWorker, tmp_path: Path) -> None:
    gate, second = Gate(tmp_path / "gate"), Gate(tmp_path / "second")

    def wait(path: str, second_path: str) -> str:
        wait_at(path)
        return wait_at(second_path)

    worker.send(worker.define(wait), gate.path, second.path)
    gate.open()
    interrupt(worker, 1)
    second.open()
    assert worker.result().objects() == ["go"]


def test_a_task_that_waits_for_an_object_is_stopped_too(worker: TaskWorker) -> None:
    def wait() -> Any:
        return penstock.get(ObjectRef(77))

    task = worker.send(worker.define(wait))
    worker.hub.next(fake_hub.GET)
    interrupt(worker, task)
    worker.hub.next(fake_hub.DROP)
    assert worker.result().flags == FAILED | WAS_CANCELLED


def test_what_comes_while_a_function_waits_is_given_back(worker: TaskWorker) -> None:
    def wait() -> Any:
        return penstock.get(ObjectRef(77))

    function = worker.define(wait)
    first = worker.send(function)
    second = worker.send(function)
    both = (fake_hub.GET, fake_hub.GIVE_BACK)  # In the order that the second's coming makes.
    said = [worker.hub.next(*both) for _ in both]
    told = {message.kind: message.take("Q") for message in said}
    assert told[fake_hub.GIVE_BACK] == second
    request = told[fake_hub.GET]
    third = worker.send(function)
    assert worker.hub.next(fake_hub.GIVE_BACK).take("Q") == third
    worker.hub.send_value(request, inline(object_bytes("there")))
    result = worker.result()
    assert (result.task, result.objects()) == (first, ["there"])


def test_what_waits_behind_a_running_task_is_given_back_when_the_hub_asks(
    worker: TaskWorker, tmp_path: Path
) -> None:
    gate, second_gate = Gate(tmp_path / "gate"), Gate(tmp_path / "second_gate")

    def wait(path: str, second_path: str) -> str:
        wait_at(path)
        return wait_at(second_path)

    function = worker.define(wait)
    running = worker.send(function, gate.path, second_gate.path)
    waiting = [worker.send(function) for _ in range(2)]
    gate.open()
    asked = fake_hub.ids(*waiting, running, 12345)
    worker.hub.send(fake_hub.TAKE_BACK, asked)
    os.kill(worker.pid, signal.SIGUSR1)
    assert [worker.hub.next(fake_hub.GIVE_BACK).take("Q") for _ in waiting] == waiting
    second_gate.open()
    result = worker.result()
    assert (result.task, result.objects()) == (running, ["go"])


def test_a_task_that_is_cancelled_behind_a_running_one_is_not_run(
    worker: TaskWorker, tmp_path: Path
) -> None:
    gate, second_gate, mark = Gate(tmp_path / "gate"), Gate(tmp_path / "second"), tmp_path / "mark"

    def wait(path: str, second_path: str) -> str:
        wait_at(path)
        return wait_at(second_path)

    running = worker.send(worker.define(wait), gate.path, second_gate.path)
    waiting = worker.send(worker.define(mark.touch))
    gate.open()
    interrupt(worker, waiting)
    second_gate.open()
    result = worker.result()
    assert (result.task, result.objects()) == (running, ["go"])
    result = worker.result()
    assert (result.task, result.flags) == (waiting, FAILED | WAS_CANCELLED)
    assert not mark.exists()
