"""`TrainContext`: which of the workers this is, and of which training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.train.storage import Storage


@dataclass(frozen=True)
class TrainContext:
    """What `get_context` returns. All workers are on one machine: their node has rank 0."""

    world_rank: int
    world_size: int
    experiment_name: str
    storage: Storage
    resources: Mapping[str, float] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def get_world_rank(self) -> int:
        """Return this worker's number among all: 0 to world size - 1."""
        return self.world_rank

    def get_world_size(self) -> int:
        """Return how many workers there are."""
        return self.world_size

    def get_local_rank(self) -> int:
        """Return this worker's number among those on its machine."""
        return self.world_rank

    def get_local_world_size(self) -> int:
        """Return how many workers there are on this machine."""
        return self.world_size

    def get_node_rank(self) -> int:
        """Return this machine's number."""
        return 0

    def get_experiment_name(self) -> str:
        """Return the training's name: `RunConfig.name`, or the one that it was given."""
        return self.experiment_name

    def get_trial_name(self) -> str:
        """Return the training's name: there are no trials within one."""
        return self.experiment_name

    def get_trial_id(self) -> str:
        """Return the training's name: there are no trials within one."""
        return self.experiment_name

    def get_trial_dir(self) -> str:
        """Return the training's folder."""
        return self.storage.path

    def get_trial_resources(self) -> dict[str, float]:
        """Return what each worker may use."""
        return dict(self.resources)

    def get_storage(self) -> Storage:
        """Return the training's folder with the file system that it is on."""
        return self.storage

    def get_metadata(self) -> dict[str, Any]:
        """Return the trainer's `metadata`, which every checkpoint gets."""
        return dict(self.metadata)
