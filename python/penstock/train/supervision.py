"""Watches the training loops: joins what the workers report, and sees them fail."""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING, Any

from penstock.train.worker_group import WorkerFailedError

if TYPE_CHECKING:
    from penstock.train.errors import WorkerFailure
    from penstock.train.record import Record
    from penstock.train.session import Report
    from penstock.train.worker import Progress
    from penstock.train.worker_group import WorkerGroup

_POLL_S = 10.0  # How long a worker holds an answer back while nothing happens.
# A worker's death makes others fail, of which the driver may hear first: it listens so much longer.
_GRACE_S = 0.5
_AHEAD_MAX = 100_000  # Reports that one worker may have made before another makes its first.


class Supervisor:
    """Follows the loops of a group to their end. Used by one thread."""

    def __init__(self, group: WorkerGroup, record: Record) -> None:
        self._group = group
        self._joined = _JoinedReports(len(group), record)
        self._held = [0] * len(group)
        self._polls: dict[Any, int] = {}

    def watch(self) -> list[Any]:
        """Return what the loops returned.

        Raises:
            WorkerFailedError: some failed. The others are still at it.

        """
        for rank in range(len(self._group)):
            self._poll(rank)
        while self._polls:
            for call in self._ready(None):
                self._hear(call)
        return self._group.gather([actor.outcome.remote() for actor in self._group.actors])

    def _poll(self, rank: int) -> None:
        actor = self._group.actors[rank]
        self._polls[actor.poll.remote(self._held[rank], _POLL_S)] = rank

    def _ready(self, timeout_s: float | None) -> list[Any]:
        import penstock

        ready, _ = penstock.wait(list(self._polls), num_returns=1, timeout=timeout_s)
        return list(ready)

    def _hear(self, call: Any) -> None:
        try:
            self._answer(call)
        except WorkerFailedError as failed:
            raise WorkerFailedError([*failed.failures, *self._further()]) from None

    def _answer(self, call: Any) -> None:
        rank = self._polls.pop(call)
        progress: Progress = self._group.value_of(call, rank)
        self._held[rank] += len(progress.reports)
        failed = progress.failed_at_s is not None
        self._joined.add(rank, progress.reports, ended=progress.ended and not failed)
        if progress.failed_at_s is not None:
            raise WorkerFailedError([self._raised(rank, progress.failed_at_s)])
        if not progress.ended:
            self._poll(rank)

    def _raised(self, rank: int, failed_at_s: float) -> WorkerFailure:
        try:
            self._group.gather({rank: self._group.actors[rank].outcome.remote()})
        except WorkerFailedError as failed:
            return failed.failures[0]._replace(failed_at_s=failed_at_s)
        raise RuntimeError(f"Worker {rank} said that it failed, but did not say how")

    def _further(self) -> list[WorkerFailure]:
        """Return the failures that follow another closely, or that it follows."""
        failures: list[WorkerFailure] = []
        end_s = time.monotonic() + _GRACE_S
        while self._polls and (left_s := end_s - time.monotonic()) > 0:
            for call in self._ready(left_s):
                try:
                    self._answer(call)
                except WorkerFailedError as failed:
                    failures.extend(failed.failures)
        return failures


class _JoinedReports:
    """Brings together what all workers reported in one call of `report`, and records it."""

    def __init__(self, workers: int, record: Record) -> None:
        self._record = record
        self._waiting: list[collections.deque[Report]] = [
            collections.deque() for _ in range(workers)
        ]
        self._ended = [False] * workers

    def add(self, rank: int, reports: list[Report], *, ended: bool) -> None:
        self._waiting[rank].extend(reports)
        self._ended[rank] = ended
        while self._complete():
            self._take()
        if len(self._waiting[rank]) > _AHEAD_MAX:
            raise RuntimeError(
                "Every worker must call report equally often; calls that worker "
                f"{rank} is ahead of another: {len(self._waiting[rank])}"
            )

    def _complete(self) -> bool:
        """Say whether each worker has reported, or has ended well without; and one has."""
        pairs = zip(self._waiting, self._ended, strict=True)
        return any(self._waiting) and all(waiting or ended for waiting, ended in pairs)

    def _take(self) -> None:
        reports = [waiting.popleft() for waiting in self._waiting if waiting]
        folders = [report.folder for report in reports if report.folder is not None]
        self._record.report(reports[0].metrics, folders[0] if folders else None)
