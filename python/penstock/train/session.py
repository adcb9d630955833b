"""What a training loop may ask and tell: `report`, `get_checkpoint`, `get_context` and the data.

A worker process has one session, of the training that it belongs to.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.train.record import folder_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.data.iterator import DataIterator
    from penstock.train.checkpoint import Checkpoint
    from penstock.train.context import TrainContext
    from penstock.train.shards import Shard


class Report(NamedTuple):
    """One call of `report`: the driver joins those of all workers by their order."""

    metrics: dict[str, Any]
    folder: str | None  # Of the checkpoint, in the training's own.


class Assignment(NamedTuple):
    """What a worker is told before its loop begins."""

    context: TrainContext
    shards: Mapping[str, Shard]
    checkpoint: Checkpoint | None  # To go on from.
    first_number: int  # Of the folders of checkpoints.


class Session:
    """One worker's side of a training. The loop's threads report, the actor's thread takes.

    A report waits until the driver has it, so that none is lost with a worker that dies after it.
    Queues: at most one report.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.context = assignment.context
        self.checkpoint = assignment.checkpoint
        self._shards = assignment.shards
        self._first_number = assignment.first_number
        self._reporting = threading.Lock()  # One report at a time: they are counted.
        self._changed = threading.Condition()
        # All that follows is guarded by the condition's lock.
        self._reports: list[Report] = []  # Those that the driver may not have.
        self._held = 0  # How many the driver has.
        self._ended = False

    def report(
        self, metrics: dict[str, Any], checkpoint: Checkpoint | None, name: str | None
    ) -> None:
        """Hand a report to the driver, and the checkpoint's files to the training's folder.

        One that raises, for want of room on the disk, say, does not count.
        """
        with self._reporting:
            folder = None
            if checkpoint is not None:
                folder = name or folder_name(self._next_number())
                self.checkpoint = self._copied_in(checkpoint, folder)
            with self._changed:
                self._reports.append(Report(metrics, folder))
                mine = self._held + len(self._reports)
                self._changed.notify_all()
                while self._held < mine:
                    self._changed.wait()

    def _next_number(self) -> int:
        with self._changed:
            return self._first_number + self._held

    def _copied_in(self, checkpoint: Checkpoint, folder: str) -> Checkpoint:
        storage = self.context.storage
        storage.copy_in(checkpoint, folder)
        kept = storage.checkpoint(folder)
        if self.context.metadata:
            kept.set_metadata({**self.context.metadata, **kept.get_metadata()})
        return kept

    def take(self, held: int, timeout_s: float) -> tuple[list[Report], bool]:
        """Return the reports after the first `held` ones, and whether the loop has ended.

        Waits for one of both. What the driver has is forgotten, and `report` returns.
        """
        with self._changed:
            del self._reports[: held - self._held]
            self._held = held
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._reports or self._ended, timeout_s)
            return list(self._reports), self._ended

    def end(self) -> None:
        """Note that the loop has ended."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def dataset_shard(self, name: str) -> DataIterator:
        """Return this worker's part of a data set."""
        from penstock.train.shard_iterator import ShardIterator

        if name not in self._shards:
            there = ", ".join(sorted(self._shards)) or "none"
            raise KeyError(
                f"The trainer was given no data set by this name; there are: {there}; got: {name!r}"
            )
        return ShardIterator(name, self._shards[name])


_current: Session | None = None


def enter(session: Session) -> None:
    """Make a session that of this process."""
    global _current  # noqa: PLW0603 - one training a process is the point
    _current = session


def current(operation: str) -> Session:
    """Return this process's session.

    Raises:
        RuntimeError: no training loop runs here.

    """
    if _current is None:
        raise RuntimeError(
            f"penstock.train.{operation} is for training loops: call it in the function that a "
            "trainer runs"
        )
    return _current


def report(
    metrics: Mapping[str, Any],
    checkpoint: Checkpoint | None = None,
    checkpoint_dir_name: str | None = None,
) -> None:
    """Tell the driver how the training stands, and keep a checkpoint.

    Every worker is to call it equally often. What rank 0 reports becomes the result's metrics; the
    files of all workers' checkpoints of one call come together in one folder.

    Args:
        metrics: values by name.
        checkpoint: a folder, whose files are copied into the training's folder.
        checkpoint_dir_name: what the folder there is to be called; all workers give the same.

    Raises:
        RuntimeError: no training loop runs here.
        TypeError: no dict, or no checkpoint.

    """
    from penstock.train.checkpoint import Checkpoint

    session = current("report")
    if not hasattr(metrics, "items"):
        raise TypeError(f"report needs a dict of metrics; got: {metrics!r}")
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        raise TypeError(f"checkpoint must be a penstock.train.Checkpoint; got: {checkpoint!r}")
    session.report(dict(metrics), checkpoint, checkpoint_dir_name)


def get_checkpoint() -> Checkpoint | None:
    """Return the checkpoint to go on from, or the one reported last; None: there is none."""
    return current("get_checkpoint").checkpoint


def get_context() -> TrainContext:
    """Return which of the workers this is, and of which training."""
    return current("get_context").context


def get_dataset_shard(dataset_name: str = "train") -> DataIterator:
    """Return this worker's part of one of the trainer's data sets.

    Raises:
        RuntimeError: no training loop runs here.
        KeyError: the trainer was given no data set by this name.

    """
    return current("get_dataset_shard").dataset_shard(dataset_name)
