"""Runs what is written with `async` on an event loop that this thread keeps for its life."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterator

_here = threading.local()


def event_loop() -> asyncio.AbstractEventLoop:
    """Return this thread's loop; what a function leaves on it goes on with the next call."""
    loop: asyncio.AbstractEventLoop | None = getattr(_here, "loop", None)
    if loop is None:
        import asyncio  # Only now: workers of other functions start faster without it.

        loop = _here.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    return loop


def complete(awaitable: Awaitable[Any]) -> Any:
    """Return what comes of it, or raise what it raises."""
    loop = event_loop()
    task = loop.create_task(_awaited(awaitable))
    while True:
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt):
            # Of any task the loop raises these here as well; whoever waits for that task gets them.
            if task.done():
                return task.result()


def iterate(stream: AsyncIterable[Any]) -> Iterator[Any]:
    """Yield what it yields, one item at a time."""
    iterator = aiter(stream)
    try:
        while True:
            try:
                item = complete(anext(iterator))
            except StopAsyncIteration:
                return
            yield item
            del item
    finally:
        complete(close(iterator))


async def close(iterator: AsyncIterator[Any]) -> None:
    """End an asynchronous generator in its own way, wherever it stands."""
    if hasattr(iterator, "aclose"):
        await iterator.aclose()


def settled(result: Any) -> Any:
    """Return what a function returned, with `async` taken out of it: a value or an iterator."""
    if hasattr(result, "__await__"):
        result = complete(result)
    return iterate(result) if hasattr(result, "__aiter__") else result


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
