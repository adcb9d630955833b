"""What the running function may ask of the worker that runs it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple

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


class RunningTask(NamedTuple):
    """A task or an actor's call, as far as it may ask about itself."""

    task_id: int
    task_name: str
    actor_id: int  # 0: no actor's.
    worker: int
    attempt: int  # From 0.
    options: str  # JSON, or "".
    devices: str  # GPUs, comma-separated.


class _Process:
    """Of the whole process."""

    reception: int | None = None
    actor_restarts = 0
    actor_options = ""


_process = _Process()
_task: ContextVar[RunningTask | None] = ContextVar("task", default=None)


def task() -> RunningTask | None:
    """Return what this thread, or this call of an asynchronous method, runs; None: no task."""
    return _task.get()


def waiting_task(timeout_s: float | None) -> int:
    """Return the number of the task that waits for ever where this thread does; 0: none."""
    record = _task.get()
    return 0 if record is None or timeout_s is not None else record.task_id


def set_task(record: RunningTask | None) -> None:
    """Say what runs from here on."""
    _task.set(record)


def reception() -> int | None:
    """Return the descriptor through which a worker reaches the hub; None outside of workers."""
    return _process.reception


def keep_reception(descriptor: int) -> None:
    """Say where the hub is to be reached."""
    _process.reception = descriptor


def actor_restarts() -> int:
    """Return how often the actor of this process was started before."""
    return _process.actor_restarts


def actor_options() -> str:
    """Return the options, as JSON, of the actor of this process; "" where there is none."""
    return _process.actor_options


def become_actor(restarts: int, options: str) -> None:
    """Say which actor this process is."""
    _process.actor_restarts = restarts
    _process.actor_options = options
