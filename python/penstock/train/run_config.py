"""Where a training writes, what it keeps, and how often it starts again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORDERS = frozenset({"max", "min"})


@dataclass
class FailureConfig:
    """How often a training that failed starts again, from its latest checkpoint; -1: always."""

    max_failures: int = 0

    def __post_init__(self) -> None:
        if _whole("max_failures", self.max_failures) < -1:
            raise ValueError(f"max_failures must be at least -1; got: {self.max_failures}")


@dataclass
class CheckpointConfig:
    """Which of the reported checkpoints stay.

    Fields:
        num_to_keep: how many; None: all. The latest always stays beside them, to go on from.
        checkpoint_score_attribute: the reported metric by which the best ones are kept; None: the
            latest ones are.
        checkpoint_score_order: whether "max" or "min" is best.
        checkpoint_frequency: with a trainer whose loop is its own (XGBoostTrainer with `params`):
            a checkpoint each so many rounds; 0: none on the way.
        checkpoint_at_end: with such a trainer: one at the end, unless this is False.

    """

    num_to_keep: int | None = None
    checkpoint_score_attribute: str | None = None
    checkpoint_score_order: str = "max"
    checkpoint_frequency: int | None = None
    checkpoint_at_end: bool | None = None

    def __post_init__(self) -> None:
        if self.num_to_keep is not None and _whole("num_to_keep", self.num_to_keep) < 1:
            raise ValueError(
                "num_to_keep must be at least 1, or None to keep all checkpoints; "
                f"got: {self.num_to_keep}"
            )
        if self.checkpoint_score_order not in _ORDERS:
            raise ValueError(
                f"checkpoint_score_order must be 'max' or 'min'; "
                f"got: {self.checkpoint_score_order!r}"
            )
        frequency = self.checkpoint_frequency
        if frequency is not None and _whole("checkpoint_frequency", frequency) < 0:
            raise ValueError(f"checkpoint_frequency must not be negative; got: {frequency}")


@dataclass
class RunConfig:
    """A training's name, its folder, and what happens when it fails.

    Fields:
        name: of the folder; by default of the trainer and the time. A training by the name of one
            that is there goes on from its latest checkpoint, unless its loop is the trainer's own.
        storage_path: the folder, or URI, that holds trainings' folders; ~/penstock_results.
        storage_filesystem: the pyarrow file system that `storage_path` is on.
        failure_config: see `FailureConfig`.
        checkpoint_config: see `CheckpointConfig`.
        worker_runtime_env: of the workers' processes, as `penstock.remote(runtime_env=)`.

    `verbose`, `log_to_file` and `sync_config` have no effect. `callbacks`, `stop` and
    `progress_reporter` are refused.
    """

    name: str | None = None
    storage_path: str | None = None
    storage_filesystem: Any = None
    failure_config: FailureConfig = field(default_factory=FailureConfig)
    checkpoint_config: CheckpointConfig = field(default_factory=CheckpointConfig)
    callbacks: Any = None
    worker_runtime_env: Mapping[str, Any] | None = None
    verbose: Any = None
    log_to_file: Any = None
    sync_config: Any = None
    stop: Any = None
    progress_reporter: Any = None

    def __post_init__(self) -> None:
        # None stands for the default here, as in Ray.
        self.failure_config = self.failure_config or FailureConfig()
        self.checkpoint_config = self.checkpoint_config or CheckpointConfig()
        _check_kind("failure_config", self.failure_config, FailureConfig)
        _check_kind("checkpoint_config", self.checkpoint_config, CheckpointConfig)
        for name in ("callbacks", "stop", "progress_reporter"):
            if getattr(self, name):
                raise NotImplementedError(f"RunConfig does not support this option: {name}")
        if self.storage_path is not None:
            self.storage_path = str(self.storage_path)
        if self.name is not None and (
            not self.name or self.name in (".", "..") or "/" in self.name
        ):
            raise ValueError(f"name must be the name of a folder; got: {self.name!r}")


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number; got: {value!r}")
    return value


def _check_kind(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}; got: {value!r}")
