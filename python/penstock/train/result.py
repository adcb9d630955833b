"""`Result`: what `fit` returns."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.train import retention
from penstock.train.record import FILE, Record
from penstock.train.retention import Kept
from penstock.train.run_config import CheckpointConfig
from penstock.train.storage import Storage

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.fs as pafs

    from penstock.train.checkpoint import Checkpoint
    from penstock.train.errors import TrainingFailedError


@dataclass
class Result:
    """The outcome of a training.

    Fields:
        metrics: what was reported last, by the worker of rank 0.
        checkpoint: the latest one.
        error: what ended the training, where it failed.
        path: the training's folder.
        metrics_history: what was reported, oldest first; `metrics_dataframe` shows it as a table.
        best_checkpoints: those that stayed, oldest first, each with what was reported with it.
        return_value: what the training loop returned on rank 0.

    """

    metrics: dict[str, Any] | None
    checkpoint: Checkpoint | None
    error: TrainingFailedError | None
    path: str
    metrics_history: list[dict[str, Any]]
    best_checkpoints: list[tuple[Checkpoint, dict[str, Any]]]
    filesystem: pafs.FileSystem
    return_value: Any = None

    @property
    def metrics_dataframe(self) -> pd.DataFrame | None:
        """What was reported, a row a report; None: nothing was. ImportError: without pandas."""
        if not self.metrics_history:
            return None
        require("pandas", extra="pandas", needed_by="metrics_dataframe")
        import pandas as pd

        return pd.DataFrame(self.metrics_history)

    def get_best_checkpoint(self, metric: str, mode: str) -> Checkpoint | None:
        """Return the checkpoint with the largest ("max") or smallest ("min") `metric`.

        Raises:
            ValueError: another mode, or no checkpoint has a number by that name.

        """
        if mode not in ("max", "min"):
            raise ValueError(f"mode must be 'max' or 'min'; got: {mode!r}")
        if not self.best_checkpoints:
            return None
        kept = [Kept(str(i), metrics) for i, (_, metrics) in enumerate(self.best_checkpoints)]
        best = retention.ranked(kept, metric, mode)[0]
        if retention.score_of(best.metrics, metric) is None:
            names = sorted({name for one in kept for name in one.metrics})
            raise ValueError(
                f"No checkpoint was reported with this metric; there are: {', '.join(names)}; "
                f"got: {metric!r}"
            )
        return self.best_checkpoints[int(best.folder)][0]

    @classmethod
    def from_path(
        cls, path: str | os.PathLike[str], storage_filesystem: pafs.FileSystem | None = None
    ) -> Result:
        """Read the result of a training from its folder.

        Raises:
            RuntimeError: the folder is not that of a training.

        """
        record = Record(Storage(os.fspath(path), storage_filesystem), CheckpointConfig())
        if not record.load():
            raise RuntimeError(f"Not the folder of a training: it has no file {FILE}: {path}")
        return result_of(record)

    def __repr__(self) -> str:
        return (
            f"Result(metrics={self.metrics}, path={self.path!r}, checkpoint={self.checkpoint}, "
            f"error={self.error!r})"
        )


def result_of(
    record: Record, *, error: TrainingFailedError | None = None, return_value: Any = None
) -> Result:
    """Return the outcome that a record tells of."""
    return Result(
        metrics=record.metrics,
        checkpoint=record.latest,
        error=error,
        path=record.storage.path,
        metrics_history=list(record.history),
        best_checkpoints=record.checkpoints(),
        filesystem=record.storage.filesystem,
        return_value=return_value,
    )
