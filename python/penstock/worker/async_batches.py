"""Batches of an asynchronous function: several wait at once, and are answered in order."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from penstock.worker import coroutines, current, failure, forked
from penstock.worker.callables import BATCHES_AT_ONCE
from penstock.worker.device_errors import end_if_sticky

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from penstock import _worker

_CLOSING_TIMEOUT_S = 5.0  # For calls that are cancelled to end in their own way.
_OUTPUTS_AHEAD = 2  # That a batch may hold until its turn comes, or the engine has room.


class Step(Protocol):
    """The function, and what it makes of a batch."""

    @property
    def name(self) -> str:
        """What errors call it."""

    def stream(self, batch: _worker.Batch) -> AsyncIterator[_worker.Output]:
        """Call the function and yield its outputs."""


def serve(channel: _worker.Channel, step: Step) -> None:
    """Answer batches until no more come, or the engine is gone."""
    coroutines.complete(_Server(channel, step).serve())


class _Server:
    """Starts calls as batches arrive, and sends what the oldest has made.

    One call is started at a time, and what has ended is answered before the next: a call that does
    not wait but computes holds the others up, never the answers of those before it.
    """

    def __init__(self, channel: _worker.Channel, step: Step) -> None:
        import asyncio

        self._channel = channel
        self._step = step
        self._process = os.getpid()
        self._changed = asyncio.Event()  # A frame has come, or a call has got on.
        self._calls: deque[_Call] = deque()  # In the order of their batches.
        self._has_turn = False  # The oldest call's batch is the one that the channel answers.
        self._sent_ns = 0

    async def serve(self) -> None:
        import asyncio

        loop = coroutines.event_loop()
        loop.add_reader(self._channel.descriptor, self._changed.set)
        try:
            while self._channel.poll():
                self._changed.clear()
                while self._calls and self._answer(self._calls[0]):
                    pass
                if self._start_call():
                    await asyncio.sleep(0)  # It runs until it waits, or ends.
                    continue
                if not self._calls and self._channel.stopping:
                    return
                await self._changed.wait()
        finally:
            loop.remove_reader(self._channel.descriptor)
            await self._cancel_calls()

    def _start_call(self) -> bool:
        """Begin with the next batch, if it is there and may be begun; say whether that was so."""
        place = len(self._calls) - self._has_turn
        if len(self._calls) >= BATCHES_AT_ONCE or place >= self._channel.arrived:
            return False
        batch, number = self._channel.peek(place), self._channel.number_of(place)
        self._calls.append(_Call(self._step, batch, number, self._changed))
        return True

    async def _cancel_calls(self) -> None:
        import asyncio

        tasks = [call.task for call in self._calls]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING_TIMEOUT_S)

    def _answer(self, call: _Call) -> bool:
        """Send one frame of the oldest call, if that is possible; say whether it was."""
        forked.end_child(self._process)  # The parent answers.
        if not self._has_turn:
            self._channel.receive_batch()
            self._has_turn = True
        if call.outputs:
            if not self._channel.may_write:
                return False
            self._channel.write_output(call.next_output())
        elif not call.finished:
            return False
        elif call.error is not None:
            self._channel.send_failed(*call.packed_failure(self._step.name), self._busy_ns(call))
            self._end_turn()
            return True
        more = bool(call.outputs) or not call.finished or call.error is not None
        self._channel.send(more, self._busy_ns(call))
        if not more:
            self._end_turn()
        return True

    def _end_turn(self) -> None:
        self._calls.popleft()
        self._has_turn = False

    def _busy_ns(self, call: _Call) -> int:
        """Return the time since the call began or the last frame went: overlaps count once."""
        now = time.perf_counter_ns()
        busy = now - max(call.start_ns, self._sent_ns)
        self._sent_ns = now
        return busy


class _Call:
    """One batch in the function's hands."""

    def __init__(
        self, step: Step, batch: _worker.Batch, number: int, changed: asyncio.Event
    ) -> None:
        import asyncio

        self.outputs: deque[_worker.Output] = deque()
        self.finished = False
        self.error: BaseException | None = None
        self.start_ns = time.perf_counter_ns()
        self._changed = changed
        self._has_room = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run(step, batch, number))

    def next_output(self) -> _worker.Output:
        """Return the oldest output, and let the function go on."""
        self._has_room.set()
        return self.outputs.popleft()

    def packed_failure(self, name: str) -> tuple[bytes, int]:
        """Return what `send_failed` sends, and let go of the error, which may hold the batch."""
        error, self.error = self.error, None
        assert error is not None  # noqa: S101  # For mypy: the caller has looked.
        end_if_sticky(error)
        return failure.pack_with_flags(error, function=name)

    async def _run(self, step: Step, batch: _worker.Batch, number: int) -> None:
        current.running.batch_number = number  # This task's own: it runs in a context of its own.
        outputs = step.stream(batch)
        try:
            try:
                async for output in outputs:
                    if output.has_columns or output.rows:  # Else nobody knows the columns.
                        await self._put(output)
            finally:
                await coroutines.close(outputs)
        except BaseException as error:  # noqa: BLE001  # A user's sys.exit() is a failure too.
            self.error = error
        self.finished = True
        self._changed.set()

    async def _put(self, output: Any) -> None:
        while len(self.outputs) >= _OUTPUTS_AHEAD:
            self._has_room.clear()
            await self._has_room.wait()
        self.outputs.append(output)
        self._changed.set()
