"""Training in several worker processes, with Ray Train's names.

A trainer runs a loop in each worker; the loop reads its part of the data, reports metrics and keeps
checkpoints. Frameworks are in `penstock.train.torch` and `penstock.train.xgboost`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazily import found

if TYPE_CHECKING:
    from penstock.train.backend import BackendConfig
    from penstock.train.checkpoint import Checkpoint
    from penstock.train.config import ScalingConfig
    from penstock.train.context import TrainContext
    from penstock.train.data_config import DataConfig
    from penstock.train.data_parallel_trainer import DataParallelTrainer
    from penstock.train.errors import TrainingFailedError
    from penstock.train.result import Result
    from penstock.train.run_config import CheckpointConfig, FailureConfig, RunConfig
    from penstock.train.session import get_checkpoint, get_context, get_dataset_shard, report

TRAIN_DATASET_KEY = "train"

__all__ = [
    "TRAIN_DATASET_KEY",
    "BackendConfig",
    "Checkpoint",
    "CheckpointConfig",
    "DataConfig",
    "DataParallelTrainer",
    "FailureConfig",
    "Result",
    "RunConfig",
    "ScalingConfig",
    "TrainContext",
    "TrainingFailedError",
    "get_checkpoint",
    "get_context",
    "get_dataset_shard",
    "report",
]

_HOMES = {
    "BackendConfig": "backend",
    "Checkpoint": "checkpoint",
    "CheckpointConfig": "run_config",
    "DataConfig": "data_config",
    "DataParallelTrainer": "data_parallel_trainer",
    "FailureConfig": "run_config",
    "Result": "result",
    "RunConfig": "run_config",
    "ScalingConfig": "config",
    "TrainContext": "context",
    "TrainingFailedError": "errors",
    "get_checkpoint": "session",
    "get_context": "session",
    "get_dataset_shard": "session",
    "report": "session",
}
_SUBMODULES = frozenset({"torch", "xgboost"})


def __getattr__(name: str) -> object:
    return found(__name__, name, _HOMES, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
