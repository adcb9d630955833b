"""What runs in each worker's process: an actor, and the thread of the training loop."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.train import session
from penstock.train.session import Report, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from penstock.train.session import Assignment


class Task(NamedTuple):
    """What every worker of a training runs."""

    loop: Callable[..., Any]
    arguments: tuple[Any, ...]
    context: Callable[[], AbstractContextManager[Any]]


class Progress(NamedTuple):
    """What a worker has to tell."""

    reports: list[Report]
    ended: bool
    failed_at_s: float | None  # By the machine's monotonic clock; None: it has not failed.


class TrainWorker:
    """An actor of one training. The loop has a thread of its own; calls are answered beside it."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._value: Any = None
        self._error: BaseException | None = None
        self._failed_at_s: float | None = None

    def ready(self) -> None:
        """Return: the worker is there."""

    def execute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of the driver's."""
        return function(*args)

    def assign(self, assignment: Assignment) -> None:
        """Make this process a worker of a training."""
        self._session = Session(assignment)
        session.enter(self._session)

    def begin(self, task: Task) -> None:
        """Start the loop."""
        threading.Thread(
            target=self._run, args=(task,), name="penstock-train-loop", daemon=True
        ).start()

    def poll(self, held: int, timeout_s: float) -> Progress:
        """Return what is new after the first `held` reports; wait for it a while."""
        reports, ended = self._joined().take(held, timeout_s)
        return Progress(reports, ended, self._failed_at_s)

    def outcome(self) -> Any:
        """Return what the loop returned, or raise what it raised."""
        if isinstance(self._error, Exception):
            raise self._error
        if self._error is not None:  # Raised here, it would end this process before it is told.
            raise RuntimeError(f"The training loop raised {self._error!r}") from self._error
        return self._value

    def _run(self, task: Task) -> None:
        try:
            with task.context():
                try:
                    self._value = task.loop(*task.arguments)
                except BaseException as error:  # noqa: BLE001 - the driver is told of it
                    # Leaving the context would tell the other workers, whose errors might then
                    # come before this one. The driver ends this process.
                    self._fail(error)
                    threading.Event().wait()
        except BaseException as error:  # noqa: BLE001 - the driver is told of it
            self._fail(error)
        else:
            self._end()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._failed_at_s = time.monotonic()
        self._end()

    def _end(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # The driver ends the process without a warning.
        self._joined().end()

    def _joined(self) -> Session:
        if self._session is None:
            raise RuntimeError("This worker belongs to no training yet")
        return self._session
