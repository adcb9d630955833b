"""Actors with asynchronous methods answer calls on an event loop."""

from __future__ import annotations

import struct
from typing import Any

import fake_hub
import pytest
from fake_hub import inline
from task_worker import (
    FAILED,
    WAS_CANCELLED,
    TaskWorker,
    interrupt,
    load,
    object_bytes,
)

from penstock.core.references import ObjectRef

pytestmark = pytest.mark.usefixtures("sent_by_value")


class Waiter:
    def __init__(self) -> None:
        import asyncio

        self.event = asyncio.Event()
        self.running = 0

    async def wait(self) -> str:
        await self.event.wait()
        return "woken"

    async def wake(self) -> None:
        self.event.set()

    def plain(self) -> str:
        return "plain"

    async def count(self) -> Any:
        for n in range(3):
            yield n

    async def fetch(self) -> Any:
        return await ObjectRef(77)

    async def overlap(self) -> int:
        import asyncio

        self.running += 1
        most = self.running
        for _ in range(20):
            await asyncio.sleep(0)
            most = max(most, self.running)
        self.running -= 1
        return most

    async def fails(self) -> None:
        raise KeyError("failed")


def test_calls_of_an_asynchronous_actor_overlap() -> None:
    with TaskWorker() as worker:
        worker.construct(Waiter, is_async=True)
        waiting = worker.call("wait")
        worker.call("plain")
        assert worker.result().objects() == ["plain"]
        worker.call("wake")
        results = {result.task: result.objects() for result in (worker.result(), worker.result())}
        assert results[waiting] == ["woken"]
        worker.call("fails")
        assert isinstance(worker.result().failure().exception, KeyError)
        assert worker.stop() == 0


def test_an_asynchronous_generator_sends_each_item() -> None:
    with TaskWorker() as worker:
        worker.construct(Waiter, is_async=True)
        worker.call("count", returns=-1)
        items = []
        for _ in range(3):
            message = worker.hub.next(fake_hub.YIELD)
            message.take("QQ")
            items.append(load(message.value()))
        assert items == [0, 1, 2]
        assert worker.result().objects() == []
        assert worker.stop() == 0


def test_an_asynchronous_call_that_is_cancelled_stops_alone() -> None:
    with TaskWorker() as worker:
        worker.construct(Waiter, is_async=True)
        first, second = worker.call("wait"), worker.call("wait")
        worker.call("plain")
        worker.result()
        interrupt(worker, first)
        result = worker.result()
        assert (result.task, result.flags) == (first, FAILED | WAS_CANCELLED)
        worker.call("wake")
        assert second in {worker.result().task, worker.result().task}
        assert worker.stop() == 0


def test_an_asynchronous_call_waits_for_an_object_without_holding_up_others() -> None:
    with TaskWorker() as worker:
        worker.construct(Waiter, is_async=True)
        fetching = worker.call("fetch")
        request = worker.hub.next(fake_hub.GET).take("Q")
        worker.call("plain")
        assert worker.result().objects() == ["plain"]
        worker.hub.send_value(request, inline(object_bytes("there")))
        result = worker.result()
        assert (result.task, result.objects()) == (fetching, ["there"])
        assert worker.stop() == 0


def test_an_asynchronous_call_that_is_cancelled_before_it_begins_is_answered() -> None:
    with TaskWorker() as worker:
        worker.construct(Waiter, is_async=True)
        task = worker._tasks + 1
        worker.hub.send(fake_hub.INTERRUPT, struct.pack("=Q", task))
        assert worker.call("wait") == task
        assert worker.result().flags == FAILED | WAS_CANCELLED
        assert worker.stop() == 0


def test_an_asynchronous_actor_runs_no_more_than_its_limit_at_once() -> None:
    with TaskWorker() as worker:
        worker.construct(Waiter, is_async=True, max_concurrency=2)
        for _ in range(5):
            worker.call("overlap")
        assert max(worker.result().objects()[0] for _ in range(5)) == 2
        assert worker.stop() == 0
