"""Training with torch in several worker processes. Needs the extra `torch`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

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

_HOMES = {"TorchConfig": "config", "TorchTrainer": "trainer"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'penstock.train.torch' has no attribute {name!r}")
    home = importlib.import_module(f"penstock.train.torch.{_HOMES.get(name, 'loops')}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
