"""Stops what the main thread runs, when the hub says that it was cancelled."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from penstock.exceptions import TaskCancelledError

if TYPE_CHECKING:
    from penstock._worker import Client

_PATIENCE_S = 0.1  # For word of the task that a signal is about; another thread may be reading it.


class _Main:
    """What the main thread runs, and may be stopped."""

    client: Client | None = None
    task = 0


_main = _Main()


def listen(client: Client) -> None:
    """Answer the hub's signals in this process's main thread."""
    _main.client = client
    signal.signal(signal.SIGUSR1, _interrupt)


def begin(task: int) -> None:
    """From here on the task may be stopped, which raises TaskCancelledError wherever it is.

    Raises:
        TaskCancelledError: it was cancelled before, while it waited in this process.

    """
    _main.task = task
    if _main.client is not None and task in _main.client.interrupted():
        _main.task = 0
        raise TaskCancelledError("The task was cancelled before it ran")


def end() -> None:
    """From here on it may not."""
    _main.task = 0


def _interrupt(_signal: int, _frame: Any) -> None:
    task = _main.task
    if not task or _main.client is None:
        return
    if task in _main.client.interrupted(_PATIENCE_S):
        _main.task = 0
        raise TaskCancelledError("The task was cancelled while it ran")
