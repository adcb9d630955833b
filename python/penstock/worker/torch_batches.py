"""Batches as tensors of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from penstock.worker import batches

if TYPE_CHECKING:
    from penstock import _worker

_NUMBERS = "biuf"  # NumPy's kinds of what a tensor holds.


def to_torch(batch: _worker.Batch) -> dict[str, Any]:
    """Return {name: tensor} over the batch's memory; bools as a copy.

    What no tensor holds (text, times, nested values) stays an array of NumPy's.
    """
    return {name: _tensor(values) for name, values in batches.to_numpy(batch).items()}


def _tensor(values: Any) -> Any:
    return torch.from_numpy(values) if values.dtype.kind in _NUMBERS else values
