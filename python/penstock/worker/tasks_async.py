"""An actor with asynchronous methods: its calls take turns on one event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from penstock.core import serialization
from penstock.exceptions import TaskCancelledError
from penstock.worker import coroutines

if TYPE_CHECKING:
    from penstock._worker import Task
    from penstock.worker.task_actors import Actor

_AT_ONCE = 1000  # As in Ray.
_GENERATOR = -1


def serve(actor: Actor) -> None:
    """Answer calls until no more come; those that wait let others go on."""
    coroutines.complete(_Server(actor).serve())


class _Server:
    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._client = actor.calls.client
        self._changed = asyncio.Event()  # Something has come, or a call has ended.
        self._running: dict[int, asyncio.Task[None]] = {}
        limits = {"": actor.at_once or _AT_ONCE, **actor.groups}
        self._turns = {name: asyncio.Semaphore(limit) for name, limit in limits.items()}

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        descriptor = self._client.fileno()
        loop.add_reader(descriptor, self._changed.set)
        try:
            while True:
                self._changed.clear()
                self._client.poll()
                while (task := self._client.receive_task(0)) is not None:
                    self._start(task)
                for number in self._client.interrupted():
                    if number in self._running:
                        self._running[number].cancel()
                if self._client.stopping and not self._running:
                    return
                await self._changed.wait()
        finally:
            loop.remove_reader(descriptor)

    def _start(self, task: Task) -> None:
        call = asyncio.get_running_loop().create_task(self._call(task))
        self._running[task.id] = call

        def forget(ended: asyncio.Task[None]) -> None:
            if ended.cancelled():  # Before it had begun.
                self._actor.calls.cancel(task)
            self._running.pop(task.id, None)
            self._changed.set()

        call.add_done_callback(forget)

    async def _call(self, task: Task) -> None:
        calls = self._actor.calls
        name = self._actor.name_of(task)
        calls.begin(task, name)
        try:
            turns = self._turns.get(self._actor.group_of(task))
            if turns is None:
                known = ", ".join(sorted(self._actor.groups))
                raise ValueError(  # noqa: TRY301  # Answered like what the method raises.
                    f"The actor has no concurrency group {self._actor.group_of(task)!r}; it has: "
                    f"{known}"
                )
            async with turns:
                results = await self._results(task, name)
        except asyncio.CancelledError as error:
            cancelled = TaskCancelledError("The task was cancelled while it ran")
            cancelled.__cause__ = error
            calls.fail(task, cancelled, name)
        except BaseException as error:  # noqa: BLE001  # Whatever the user's method raises.
            calls.fail(task, error, name)
        else:
            calls.finish(task, 0, results)

    async def _results(self, task: Task, name: str) -> list[Any]:
        calls = self._actor.calls
        method = self._actor.method(task)
        args, kwargs = calls.arguments(task)
        result = method(*args, **kwargs)
        del args, kwargs
        if hasattr(result, "__await__"):
            result = await result
        if task.returns != _GENERATOR:
            return calls.results(task, result)
        if not hasattr(result, "__aiter__"):
            calls.stream(task, result, name)
            return []
        items = aiter(result)
        try:
            async for item in items:
                self._client.yield_item(task.id, serialization.dumps(self._client, item))
                del item
        finally:
            await coroutines.close(items)
        return []
