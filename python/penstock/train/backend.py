"""What a framework needs before and around the training loops: Ray's developer interface."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from penstock.train.worker_group import WorkerGroup


class Backend:
    """Joins workers that have started. Called by the driver; it has nothing to do here."""

    def on_start(self, worker_group: WorkerGroup, backend_config: BackendConfig) -> None:
        """Do what is needed once the workers are there."""

    def on_training_start(self, worker_group: WorkerGroup, backend_config: BackendConfig) -> None:
        """Do what is needed right before the loops begin."""

    def on_shutdown(self, worker_group: WorkerGroup, backend_config: BackendConfig) -> None:
        """Do what is needed once all loops have ended well."""


class BackendConfig:
    """Settings of a framework."""

    @property
    def backend_cls(self) -> type[Backend]:
        """The class that joins the workers."""
        return Backend

    @property
    def train_func_context(self) -> Callable[[], AbstractContextManager[Any]]:
        """Makes, in a worker, the context in which its loop runs."""
        return contextlib.nullcontext
