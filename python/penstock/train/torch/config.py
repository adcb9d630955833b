"""`TorchConfig`: joins workers in one torch process group."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.train.backend import Backend, BackendConfig
from penstock.train.session import get_context

if TYPE_CHECKING:
    from penstock.train.worker_group import WorkerGroup

_ADDRESS = "127.0.0.1"
_TIMEOUT_S = 1800
_INIT_METHODS = frozenset({"env", "tcp"})


@dataclass
class TorchConfig(BackendConfig):
    """How torch's workers are joined.

    Fields:
        backend: "gloo", "nccl" or another of torch's; None: nccl where each worker has a GPU, gloo
            elsewhere.
        init_method: "env" or "tcp"; both do the same here.
        timeout_s: how long a collective operation may take before it fails.

    """

    backend: str | None = None
    init_method: str = "env"
    timeout_s: int = _TIMEOUT_S

    def __post_init__(self) -> None:
        if self.init_method not in _INIT_METHODS:
            raise ValueError(f"init_method must be 'env' or 'tcp'; got: {self.init_method!r}")
        if self.timeout_s <= 0:
            raise ValueError(f"timeout_s must be positive; got: {self.timeout_s}")

    @property
    def backend_cls(self) -> type[Backend]:
        """The class that joins the workers."""
        return _ProcessGroup


def require_torch(operation: str) -> None:
    """Check that torch is installed, without importing it.

    Raises:
        ImportError: it is not.

    """
    require("torch", extra="torch", needed_by=operation)


class _ProcessGroup(Backend):
    def on_start(self, worker_group: WorkerGroup, backend_config: BackendConfig) -> None:
        """Let rank 0 open the store in which the workers meet, then all of them join."""
        if not isinstance(backend_config, TorchConfig):
            raise TypeError(f"TorchTrainer needs a TorchConfig; got: {backend_config!r}")
        port = worker_group.execute_single(0, _open_store, backend_config.timeout_s)
        worker_group.execute(_join, backend_config.backend, port, backend_config.timeout_s)


_store: Any = None  # Of rank 0's process.


def _open_store(timeout_s: int) -> int:
    """Open the store at a port that is free, and return it: nobody can take it in between."""
    global _store  # noqa: PLW0603 - it must live as long as the process
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    timeout = dt.timedelta(seconds=timeout_s)
    workers = get_context().get_world_size()
    _store = TCPStore(_ADDRESS, 0, workers, is_master=True, timeout=timeout, wait_for_workers=False)
    return int(_store.port)


def _join(backend: str | None, port: int, timeout_s: int) -> None:
    import torch
    from torch import distributed
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    context = get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    os.environ.update(
        MASTER_ADDR=_ADDRESS,
        MASTER_PORT=str(port),
        RANK=str(rank),
        WORLD_SIZE=str(workers),
        LOCAL_RANK=str(context.get_local_rank()),
        LOCAL_WORLD_SIZE=str(context.get_local_world_size()),
        NODE_RANK=str(context.get_node_rank()),
    )
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # All workers are on this machine.
    timeout = dt.timedelta(seconds=timeout_s)
    store = _store or TCPStore(_ADDRESS, port, workers, is_master=False, timeout=timeout)
    has_gpu = context.get_trial_resources().get("GPU", 0) > 0 and torch.cuda.is_available()
    if has_gpu:
        torch.cuda.set_device(0)  # Each worker sees its own GPUs alone.
    distributed.init_process_group(
        backend or ("nccl" if has_gpu else "gloo"),
        store=store,
        rank=rank,
        world_size=workers,
        timeout=timeout,
    )
