"""`XGBoostConfig`: joins workers by XGBoost's own collectives.

The tracker, which gives the workers their ranks, lives in the process of rank 0, and ends with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.train.backend import Backend, BackendConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from penstock.train.worker_group import WorkerGroup

_ADDRESS = "127.0.0.1"


@dataclass
class XGBoostConfig(BackendConfig):
    """How XGBoost's workers are joined: "rabit" is the only way."""

    xgboost_communicator: str = "rabit"

    def __post_init__(self) -> None:
        if self.xgboost_communicator != "rabit":
            raise NotImplementedError(
                f"xgboost_communicator must be 'rabit'; got: {self.xgboost_communicator!r}"
            )

    @property
    def backend_cls(self) -> type[Backend]:
        """The class that joins the workers."""
        return _RabitBackend

    @property
    def train_func_context(self) -> Callable[[], AbstractContextManager[Any]]:
        """Makes XGBoost's communicator, which belongs to the thread that makes it."""
        return _communicator


def require_xgboost(operation: str) -> None:
    """Check that XGBoost is installed, without importing it.

    Raises:
        ImportError: it is not.

    """
    require("xgboost", extra="xgboost", needed_by=operation)


class _RabitBackend(Backend):
    def on_training_start(self, worker_group: WorkerGroup, backend_config: BackendConfig) -> None:
        """Start the tracker, and tell each worker where it is."""
        del backend_config
        workers = len(worker_group)
        found = worker_group.execute_single(0, _start_tracker, workers)
        each = [({**found, "dmlc_task_id": f"{rank:08d}"},) for rank in range(workers)]
        worker_group.execute_each(_set_arguments, each)


# Of this process, which is a worker's.
_tracker: Any = None
_arguments: dict[str, Any] = {}


def _start_tracker(workers: int) -> dict[str, Any]:
    global _tracker  # noqa: PLW0603 - it must live as long as the process
    require_xgboost("XGBoostTrainer")
    from xgboost.tracker import RabitTracker

    _tracker = RabitTracker(n_workers=workers, host_ip=_ADDRESS, sortby="task")
    _tracker.start()
    return dict(_tracker.worker_args())


def _set_arguments(arguments: dict[str, Any]) -> None:
    global _arguments  # noqa: PLW0603 - the loop's thread reads it
    _arguments = arguments


def _communicator() -> AbstractContextManager[Any]:
    from xgboost.collective import CommunicatorContext

    context: AbstractContextManager[Any] = CommunicatorContext(**_arguments)
    return context
