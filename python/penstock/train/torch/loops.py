"""What training loops with torch call: models, data loaders and devices made ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.train.session import get_context
from penstock.train.torch.config import require_torch
from penstock.train.torch.loader import DeviceLoader

require_torch("penstock.train.torch")

import torch  # noqa: E402 - only now is it known to be there
from torch.utils import data  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRATEGIES = ("ddp", "fsdp", None)


def get_device() -> torch.device:
    """Return the device of this worker: its first GPU, or the CPU."""
    return get_devices()[0]


def get_devices() -> list[torch.device]:
    """Return the devices of this worker; it sees no GPU but its own."""
    gpus = get_context().get_trial_resources().get("GPU", 0)
    if not gpus or not torch.cuda.is_available():
        return [torch.device("cpu")]
    return [torch.device("cuda", index) for index in range(torch.cuda.device_count())]


def prepare_model(
    model: torch.nn.Module,
    move_to_device: bool | torch.device = True,  # noqa: FBT001, FBT002 - Ray's signature
    parallel_strategy: str | None = "ddp",
    parallel_strategy_kwargs: Mapping[str, Any] | None = None,
) -> torch.nn.Module:
    """Move a model to this worker's device, and join it with those of the other workers.

    Args:
        model: the same in each worker.
        move_to_device: False leaves it where it is; a device: move it there.
        parallel_strategy: "ddp": DistributedDataParallel; "fsdp": FullyShardedDataParallel; None:
            neither. With one worker neither is needed.
        parallel_strategy_kwargs: for the class that joins.

    """
    if parallel_strategy not in _STRATEGIES:
        raise ValueError(
            f"parallel_strategy must be 'ddp', 'fsdp' or None; got: {parallel_strategy!r}"
        )
    device = get_device() if isinstance(move_to_device, bool) else move_to_device
    if move_to_device is not False:
        model = model.to(device)
    if parallel_strategy is None or get_context().get_world_size() == 1:
        return model
    options = dict(parallel_strategy_kwargs or {})
    if parallel_strategy == "fsdp":
        from torch.distributed.fsdp import FullyShardedDataParallel

        return FullyShardedDataParallel(model, **options)
    if device.type == "cuda":
        options = {"device_ids": [device], "output_device": device, **options}
    return torch.nn.parallel.DistributedDataParallel(model, **options)


def prepare_data_loader(
    data_loader: data.DataLoader[Any],
    add_dist_sampler: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
    move_to_device: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
    auto_transfer: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
) -> data.DataLoader[Any] | DeviceLoader:
    """Let a data loader yield this worker's part of its rows, on this worker's device.

    Args:
        data_loader: the same in each worker.
        add_dist_sampler: share the rows out. Loaders with a sampler of the user's own, and those of
            an IterableDataset, are left as they are.
        move_to_device: move the tensors of each batch.
        auto_transfer: without effect.

    """
    del auto_transfer
    loader: data.DataLoader[Any] | DeviceLoader = data_loader
    if add_dist_sampler and get_context().get_world_size() > 1 and _can_share_out(data_loader):
        loader = _shared_out(data_loader)
    device = get_device()
    if move_to_device and device.type != "cpu":
        loader = DeviceLoader(loader, device)
    return loader


def enable_reproducibility(seed: int = 0) -> None:
    """Seed torch, NumPy and Python, and let torch choose algorithms that repeat."""
    import random

    import numpy as np

    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what user code draws from
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.benchmark = False


def _can_share_out(loader: data.DataLoader[Any]) -> bool:
    if isinstance(loader.dataset, data.IterableDataset) or loader.batch_size is None:
        return False
    return isinstance(loader.sampler, data.SequentialSampler | data.RandomSampler)


def _shared_out(loader: data.DataLoader[Any]) -> data.DataLoader[Any]:
    shuffles = isinstance(loader.sampler, data.RandomSampler)
    sampler: data.Sampler[Any] = data.DistributedSampler(loader.dataset, shuffle=shuffles)
    options: dict[str, Any] = {
        name: getattr(loader, name)
        for name in (
            "batch_size",
            "num_workers",
            "collate_fn",
            "pin_memory",
            "drop_last",
            "timeout",
            "worker_init_fn",
            "multiprocessing_context",
            "generator",
            "prefetch_factor",
            "persistent_workers",
        )
    }
    return data.DataLoader(loader.dataset, sampler=sampler, **options)
