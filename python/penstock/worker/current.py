"""What the running function may ask of the worker that runs it."""

from __future__ import annotations

from contextvars import ContextVar

_batch_number = ContextVar("batch_number", default=0)


class _Running:
    """Of each thread, and of each call of an asynchronous function, its own."""

    @property
    def batch_number(self) -> int:
        """Of the batch in its stage, from 0, in input order."""
        return _batch_number.get()

    @batch_number.setter
    def batch_number(self, number: int) -> None:
        _batch_number.set(number)


running = _Running()
