"""A queue that tasks and actors share."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Mapping
from typing import Any

_GRACE_PERIOD_S = 5
_CALLS_AT_ONCE_MAX = 1_000_000  # If calls that wait could be too many, none could end their wait.


class Empty(queue.Empty):
    """There is no item, or there are too few."""


class Full(queue.Full):
    """There is no room for the item, or for all of them."""


class Queue:
    """A queue in an actor of its own: first in, first out.

    May be sent to tasks and actors, which then put to and get from the same queue. It ends when
    nobody holds it any more, or with `shutdown`. An item is anything that can be pickled; a
    reference is put as its value.

    Each handle may be used by several threads.
    """

    def __init__(self, maxsize: int = 0, actor_options: Mapping[str, Any] | None = None) -> None:
        """Start the queue's actor.

        Args:
            maxsize: how many items it holds at most; 0 or less: any number.
            actor_options: options of the actor, such as a `name`. It takes no processor by default.

        """
        import penstock
        from penstock.util.queue_server import QueueServer

        self.maxsize = maxsize
        defaults = {"num_cpus": 0, "max_concurrency": _CALLS_AT_ONCE_MAX}
        options = {**defaults, **(actor_options or {})}
        self.actor: Any = penstock.remote(**options)(QueueServer).remote(max(0, maxsize))

    def __len__(self) -> int:
        return self.size()

    def size(self) -> int:
        """Return the number of items; it may be another at once."""
        import penstock

        size: int = penstock.get(self._server().size.remote())
        return size

    def qsize(self) -> int:
        """Return the number of items; it may be another at once."""
        return self.size()

    def empty(self) -> bool:
        """Return whether there was no item."""
        return self.size() == 0

    def full(self) -> bool:
        """Return whether there was no room for another item."""
        return 0 < self.maxsize <= self.size()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002  # Ray's order.
        """Add an item.

        Args:
            item: anything that can be pickled.
            block: wait for room.
            timeout: seconds to wait at most; None: for ever.

        Raises:
            Full: there was no room, or not in time.
            ValueError: the timeout is negative.
            RayActorError: the queue was shut down.

        """
        if not self._wait_for(self._server().put.remote(item, _patience(block, timeout))):
            raise Full

    async def put_async(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ASYNC109, FBT001, FBT002  # Ray's.
        """Do as `put`, and let other coroutines run meanwhile."""
        if not await self._server().put.remote(item, _patience(block, timeout)):
            raise Full

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002  # Ray's order.
        """Take the oldest item.

        Args:
            block: wait for an item.
            timeout: seconds to wait at most; None: for ever.

        Raises:
            Empty: there was no item, or not in time.
            ValueError: the timeout is negative.
            RayActorError: the queue was shut down.

        """
        return _only(self._wait_for(self._server().get.remote(_patience(block, timeout))))

    async def get_async(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ASYNC109, FBT001, FBT002  # Ray's.
        """Do as `get`, and let other coroutines run meanwhile."""
        return _only(await self._server().get.remote(_patience(block, timeout)))

    def put_nowait(self, item: Any) -> None:
        """Add an item if there is room now, or raise `Full`."""
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        """Take the oldest item if there is one now, or raise `Empty`."""
        return self.get(block=False)

    def put_nowait_batch(self, items: Iterable[Any]) -> None:
        """Add all the items, next to each other.

        Raises:
            Full: there was no room for all; none was added.
            TypeError: `items` cannot be iterated over.

        """
        import penstock

        if not isinstance(items, Iterable):
            raise TypeError(f"items must be iterable; got: {type(items).__name__}")
        added = list(items)
        size = penstock.get(self._server().put_all.remote(added))
        if size is not None:
            raise Full(
                f"There is no room for {len(added)} items: "
                f"the queue holds {size} of at most {self.maxsize}"
            )

    def get_nowait_batch(self, num_items: int) -> list[Any]:
        """Take so many items, which were next to each other.

        Raises:
            Empty: there were fewer; none was taken.
            TypeError, ValueError: the number is none, or negative.

        """
        import penstock

        if not isinstance(num_items, int):
            raise TypeError(f"num_items must be an int; got: {type(num_items).__name__}")
        if num_items < 0:
            raise ValueError(f"num_items must not be negative; got: {num_items}")
        size, items = penstock.get(self._server().get_several.remote(num_items))
        if size < num_items:
            raise Empty(f"There are no {num_items} items: the queue holds {size}")
        taken: list[Any] = items
        return taken

    def shutdown(self, force: bool = False, grace_period_s: float = _GRACE_PERIOD_S) -> None:  # noqa: FBT001, FBT002  # Ray's order.
        """End the queue, and its items with it. May be repeated.

        Whoever waits in `put` or `get`, or calls them later, gets `RayActorError`.

        Args:
            force: do not even wait until the calls that are made already have reached the queue.
            grace_period_s: seconds to wait for that at most.

        """
        import penstock

        if self.actor is None:
            return
        if not force:
            penstock.wait([self.actor.size.remote()], timeout=grace_period_s)
        penstock.kill(self.actor, no_restart=True)
        self.actor = None

    def _server(self) -> Any:
        if self.actor is None:
            from penstock.exceptions import RayActorError

            raise RayActorError("The queue was shut down")
        return self.actor

    def _wait_for(self, answer: Any) -> Any:
        """Return what the actor answers; take the wish back where the caller does not wait."""
        import penstock

        try:
            return penstock.get(answer)
        except KeyboardInterrupt:
            penstock.cancel(answer)  # Else it would take an item that nobody sees.
            raise


def _patience(block: bool, timeout: float | None) -> float | None:  # noqa: FBT001  # The caller's own.
    if not block:
        return 0
    if timeout is not None and timeout < 0:
        raise ValueError(f"timeout must not be negative; got: {timeout}")
    return timeout


def _only(items: list[Any]) -> Any:
    if not items:
        raise Empty
    return items[0]
