"""`TorchTrainer`: a training loop in workers that torch has joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.train.data_parallel_trainer import DataParallelTrainer
from penstock.train.torch.config import TorchConfig, require_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.train.checkpoint import Checkpoint
    from penstock.train.config import ScalingConfig
    from penstock.train.data_config import DataConfig
    from penstock.train.data_parallel_trainer import Datasets
    from penstock.train.run_config import RunConfig


class TorchTrainer(DataParallelTrainer):
    """Runs a training loop in workers that share a torch process group.

    Args: those of `DataParallelTrainer`, and `torch_config` for its `backend_config`.

    Raises:
        ImportError: torch is not installed.

    """

    def __init__(
        self,
        train_loop_per_worker: Callable[..., Any],
        *,
        train_loop_config: Mapping[str, Any] | None = None,
        torch_config: TorchConfig | None = None,
        scaling_config: ScalingConfig | None = None,
        run_config: RunConfig | None = None,
        datasets: Datasets | None = None,
        dataset_config: DataConfig | None = None,
        resume_from_checkpoint: Checkpoint | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        require_torch("TorchTrainer")
        if torch_config is not None and not isinstance(torch_config, TorchConfig):
            raise TypeError(f"torch_config must be a TorchConfig; got: {torch_config!r}")
        super().__init__(
            train_loop_per_worker,
            train_loop_config=train_loop_config,
            backend_config=torch_config or TorchConfig(),
            scaling_config=scaling_config,
            run_config=run_config,
            datasets=datasets,
            dataset_config=dataset_config,
            resume_from_checkpoint=resume_from_checkpoint,
            metadata=metadata,
        )
