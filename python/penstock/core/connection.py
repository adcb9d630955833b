"""The connection of this process to the hub: its own, or, in a worker, its program's."""

from __future__ import annotations

import atexit
import json
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from penstock import _worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.core.local_hub import LocalHub

_lock = threading.Lock()
_client: _worker.Client | None = None
_hub: LocalHub | None = None
_process = os.getpid()


def client() -> _worker.Client:
    """Return the connection; make it first, with a hub where this process is the program.

    Raises:
        RuntimeError: this process was forked from one that was connected.

    """
    connected = _client
    if connected is not None and _process == os.getpid():
        return connected
    return _connect()


def is_connected() -> bool:
    """Return whether this process has a connection."""
    return _client is not None and _process == os.getpid()


def adopt(connected: _worker.Client) -> None:
    """Take the connection that a worker of the hub has made."""
    global _client, _process  # One connection a process is the point.
    _client, _process = connected, os.getpid()


def facts() -> dict[str, Any]:
    """Return what the hub told of itself: "node_id", "job_id", "namespace", "session"."""
    told: dict[str, Any] = json.loads(client().facts)
    return told


def release(number: int, *, at_once: bool = False) -> None:
    """Count one reference less; called while objects are taken apart, so it never raises.

    The hub hears of it with the next message, or `at_once`.
    """
    connected = _client
    if connected is not None and _process == os.getpid():
        connected.release(number, at_once)


@contextmanager
def waiting() -> Iterator[None]:
    """Give a running task's processors back while the block waits for other work."""
    from penstock.worker import current

    connected = _client
    if connected is None or current.task() is None:
        yield
        return
    connected.blocked()
    try:
        yield
    finally:
        connected.unblocked()


@atexit.register
def close() -> None:
    """Cut the connection, and end the hub with all its workers where it is this process's."""
    global _client, _hub  # noqa: PLW0603  # One connection a process is the point.
    with _lock:
        connected, hub = _client, _hub
        _client = _hub = None
    if _process != os.getpid():
        return
    if connected is not None:
        connected.close()
    if hub is not None:
        hub.close()


def _connect() -> _worker.Client:
    global _client, _hub, _process  # noqa: PLW0603  # One connection a process is the point.
    from penstock.worker import current

    with _lock:
        if _client is not None and _process != os.getpid():
            raise RuntimeError(
                "This process was forked from one that uses Penstock's tasks and actors, and has "
                "no part in them; start processes with multiprocessing's 'spawn', or as tasks"
            )
        if _client is not None:
            return _client
        reception = current.reception()
        if reception is not None:
            _client = _worker.connect(reception, 0)
        else:
            from penstock.core.local_hub import LocalHub

            _hub = LocalHub()
            _client = _worker.Client(_hub.connect())
        _process = os.getpid()
        return _client
