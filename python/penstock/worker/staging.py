"""Brings batches to a GPU ahead of their turn: one is copied while another computes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from penstock.worker.device_errors import empty_caches, ran_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from penstock import _worker


# Types whose values come as tensors on the device, or as Python objects: never as views.
_COPIED_TYPES = frozenset(
    ["bool", "string", "large_string", "binary", "large_binary"]
    + ["halffloat", "float", "double"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


class Device(Protocol):
    """Where the tensors of a batch are to be."""

    def stage(self, columns: dict[str, Any]) -> Any:
        """Begin to copy tensors there, on a thread of its own; return what `take` wants."""

    def take(self, staged: Any) -> dict[str, Any]:
        """Return the tensors there; what the calling thread computes next waits for the copies."""


class StagedReader:
    """Turns batches into tensors on a device; `ahead` begins with one before it is asked for.

    Batches are copied one after the other by a thread of the reader's own. Asked for rows that
    nobody announced, it lets go of all that is staged: the function has run out of memory, and its
    batch was cut.

    Threads: any may call.
    """

    def __init__(self, device: Device, to_host: Callable[[_worker.Batch], dict[str, Any]]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._device = device
        self._to_host = to_host
        self._copier = ThreadPoolExecutor(max_workers=1, thread_name_prefix="penstock-staging")
        self._lock = threading.Lock()
        self._staged: list[tuple[_worker.Batch, Future[Any]]] = []  # In order; guarded by _lock.

    def ahead(self, batch: _worker.Batch) -> None:
        """Begin to copy a batch, unless that has begun."""
        with self._lock:
            if all(known is not batch for known, _ in self._staged):
                self._staged.append((batch, self._copier.submit(self._stage, batch)))

    def __call__(self, batch: _worker.Batch) -> dict[str, Any]:
        """Return the batch's columns, those that are tensors on the device."""
        copied = self._taken(batch)
        if copied is not None:
            try:
                return self._device.take(copied.result())
            except Exception as error:
                if not ran_out_of_memory(error):
                    raise
            del copied
            self._let_go()
            empty_caches()  # Once more, with nothing else staged.
        return self._device.take(self._copier.submit(self._stage, batch).result())

    @staticmethod
    def leaves_batch(batch: _worker.Batch) -> bool:
        """Say whether nothing that the function gets looks at the batch's memory."""
        return all(column.type_name in _COPIED_TYPES for column in batch.describe())

    def _stage(self, batch: _worker.Batch) -> Any:
        return self._device.stage(self._to_host(batch))

    def _taken(self, batch: _worker.Batch) -> Future[Any] | None:
        """Return the copy that was begun; None, and nothing stays staged, where none was."""
        with self._lock:
            for place, (known, copied) in enumerate(self._staged):
                if known is batch:
                    del self._staged[place]
                    return copied
        self._let_go()
        return None

    def _let_go(self) -> None:
        with self._lock:
            self._staged.clear()
