"""The actor behind a `Queue`."""

from __future__ import annotations

import asyncio
from typing import Any


class QueueServer:
    """Holds the items. Its answers say whether there was room, or an item; nothing is raised."""

    def __init__(self, maxsize: int) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue(maxsize)

    async def size(self) -> int:
        """Return the number of items."""
        return self._items.qsize()

    async def put(self, item: Any, timeout_s: float | None) -> bool:
        """Add an item and return True; False where there was no room for so long."""
        try:
            self._items.put_nowait(item)
        except asyncio.QueueFull:
            return await self._put_later(item, timeout_s)
        return True

    async def get(self, timeout_s: float | None) -> list[Any]:
        """Take an item and return it in a list; an empty one where none came for so long."""
        try:
            return [self._items.get_nowait()]
        except asyncio.QueueEmpty:
            return await self._get_later(timeout_s)

    async def put_all(self, items: list[Any]) -> int | None:
        """Add all the items and return None; where there is no room for all, the size alone."""
        size = self._items.qsize()
        if 0 < self._items.maxsize < size + len(items):
            return size
        for item in items:
            self._items.put_nowait(item)
        return None

    async def get_several(self, count: int) -> tuple[int, list[Any]]:
        """Return the size and so many items; no items where there are fewer."""
        size = self._items.qsize()
        if size < count:
            return size, []
        return size, [self._items.get_nowait() for _ in range(count)]

    async def _put_later(self, item: Any, timeout_s: float | None) -> bool:
        if timeout_s == 0:
            return False
        try:
            await asyncio.wait_for(self._items.put(item), timeout_s)
        except TimeoutError:
            return False
        return True

    async def _get_later(self, timeout_s: float | None) -> list[Any]:
        if timeout_s == 0:
            return []
        try:
            return [await asyncio.wait_for(self._items.get(), timeout_s)]
        except TimeoutError:
            return []
