"""Training with torch in several worker processes. Needs the extra `torch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazily import found

if TYPE_CHECKING:
    from penstock.train.torch.config import TorchConfig
    from penstock.train.torch.loops import (
        enable_reproducibility,
        get_device,
        get_devices,
        prepare_data_loader,
        prepare_model,
    )
    from penstock.train.torch.trainer import TorchTrainer

__all__ = [
    "TorchConfig",
    "TorchTrainer",
    "enable_reproducibility",
    "get_device",
    "get_devices",
    "prepare_data_loader",
    "prepare_model",
]

_HOMES = {
    **dict.fromkeys(__all__, "loops"),
    "TorchConfig": "config",
    "TorchTrainer": "trainer",
}


def __getattr__(name: str) -> object:
    return found(__name__, name, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
