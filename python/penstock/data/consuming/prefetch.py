"""Makes items ahead of time in a thread of its own."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

_Item = TypeVar("_Item")
_POLL_S = 0.1


def prefetched(items: Iterator[_Item], ahead: int) -> Iterator[_Item]:
    """Yield `items`, of which a thread makes up to `ahead` (at least 1) before they are asked for.

    Leaving early ends the thread, which takes what one item takes, and closes `items`.
    """
    maker = _Maker(items, ahead)
    maker.start()
    try:
        while (made := maker.next()) is not _END:
            yield cast("_Item", made)
    finally:
        maker.stop()


_END = object()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Maker(Generic[_Item]):
    """The thread and what it has made. The queue's length is what bounds it."""

    def __init__(self, items: Iterator[_Item], ahead: int) -> None:
        self._items = items
        self._made: queue.Queue[object] = queue.Queue(maxsize=ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="penstock-prefetch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def next(self) -> object:
        """Wait for the next item, so briefly each time that Ctrl-C is heard; _END: no more."""
        while True:
            try:
                made = self._made.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(made, _Failure):
                raise made.error
            return made

    def _work(self) -> None:
        last: object = _END
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            last = _Failure(error)
        close = getattr(self._items, "close", None)
        if close is not None:
            close()
        self._put(last)

    def _put(self, item: object) -> bool:
        """Wait for room; False: nobody wants more."""
        while not self._stopped.is_set():
            try:
                self._made.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False
