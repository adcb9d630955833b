"""What the running function may ask of the worker that runs it."""

from __future__ import annotations

from _thread import _local


class _Running(_local):
    """Of each thread its own: the workers of one process may be threads."""

    batch_number = 0  # Of the batch in its stage, from 0, in input order.


running = _Running()
