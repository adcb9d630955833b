"""What is known of a training while it runs and afterwards: its checkpoints and its metrics.

Written to a file in its folder with each checkpoint and at the end, so that it can be gone on from
and its `Result` be read again. Metrics reported after the latest checkpoint are lost with a driver
that is killed; the training that goes on reports them anew.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from penstock.train import retention
from penstock.train.retention import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.train.checkpoint import Checkpoint
    from penstock.train.run_config import CheckpointConfig
    from penstock.train.storage import Storage

FILE = "penstock_training.json"
_VERSION = 1
_FOLDER = "checkpoint_{:06d}"
_NUMBERED = re.compile(r"checkpoint_(\d+)")


class Record:
    """The state of one training. Used by one thread."""

    def __init__(self, storage: Storage, config: CheckpointConfig) -> None:
        self.storage = storage
        self._config = config
        self.kept: list[Kept] = []  # Oldest first.
        self.history: list[dict[str, Any]] = []  # What was reported, oldest first.
        self._rows_at_latest = 0  # How much of the history led to the latest checkpoint.
        self._first_number = 0  # Folders of checkpoints below it are of other trainings.

    @property
    def latest(self) -> Checkpoint | None:
        """The newest checkpoint."""
        return self.storage.checkpoint(self.kept[-1].folder) if self.kept else None

    @property
    def metrics(self) -> dict[str, Any] | None:
        """What was reported last."""
        return self.history[-1] if self.history else None

    def checkpoints(self) -> list[tuple[Checkpoint, dict[str, Any]]]:
        """Return all that stay, oldest first, each with what was reported with it."""
        return [(self.storage.checkpoint(one.folder), one.metrics) for one in self.kept]

    def report(self, metrics: Mapping[str, Any], folder: str | None = None) -> None:
        """Note a report; one with a folder is a checkpoint, and older ones may go for it."""
        row = dict(metrics)
        self.history.append(row)
        if folder is None:
            return
        self.kept = [one for one in self.kept if one.folder != folder]
        self.kept.append(Kept(folder, row))
        self._rows_at_latest = len(self.history)
        going = retention.dropped(self.kept, self._config)
        self.kept = [one for one in self.kept if one not in going]
        self.save()  # First: what the file names must be there.
        for one in going:
            self.storage.delete(one.folder)

    def rewind(self) -> None:
        """Forget what was reported after the latest checkpoint: it will be reported again."""
        del self.history[self._rows_at_latest :]

    def next_number(self) -> int:
        """Return a number above those of all checkpoints' folders that are there."""
        numbers = [_NUMBERED.fullmatch(name) for name in self.storage.folders()]
        return max([int(found[1]) + 1 for found in numbers if found], default=0)

    def begin_anew(self) -> None:
        """Leave the checkpoints that are there alone: they are another training's."""
        self._first_number = self.next_number()

    def delete_unfinished(self) -> None:
        """Delete folders of checkpoints that not all workers have reported."""
        known = {one.folder for one in self.kept}
        for name in self.storage.folders():
            found = _NUMBERED.fullmatch(name)
            if found and int(found[1]) >= self._first_number and name not in known:
                self.storage.delete(name)

    def save(self) -> None:
        """Write the file."""
        facts = {
            "version": _VERSION,
            "checkpoints": [{"folder": one.folder, "metrics": one.metrics} for one in self.kept],
            "rows_at_latest": self._rows_at_latest,
            "history": self.history,
        }
        self.storage.write(FILE, json.dumps(facts, default=_plain).encode())

    def load(self) -> bool:
        """Read the file; False where there is none.

        Raises:
            ValueError: it is not of this version.

        """
        data = self.storage.read(FILE)
        if data is None:
            return False
        facts = json.loads(data)
        if facts.get("version") != _VERSION:
            raise ValueError(
                f"{self.storage.path}/{FILE} is not of this version ({_VERSION}); "
                f"got: {facts.get('version')}"
            )
        self.kept = [Kept(one["folder"], one["metrics"]) for one in facts["checkpoints"]]
        self.history = facts["history"]
        self._rows_at_latest = facts["rows_at_latest"]
        return True


def folder_name(number: int) -> str:
    """Return the name of a checkpoint's folder."""
    return _FOLDER.format(number)


def _plain(value: Any) -> Any:
    """Return NumPy's and torch's numbers as Python's, and anything else as its text."""
    for convert in ("item", "tolist"):
        if hasattr(value, convert):
            try:
                return getattr(value, convert)()
            except (TypeError, ValueError, RuntimeError):
                continue
    return str(value)
