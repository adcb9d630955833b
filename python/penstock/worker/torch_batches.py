"""Batches as tensors of torch, on the processor or on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from penstock.worker import batches
from penstock.worker.staging import StagedReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock import _worker

_NUMBERS = "biuf"  # NumPy's kinds of what a tensor holds.


def to_torch(batch: _worker.Batch) -> dict[str, Any]:
    """Return {name: tensor} over the batch's memory; bools as a copy.

    What no tensor holds (text, times, nested values) stays an array of NumPy's.
    """
    return {name: _tensor(values) for name, values in batches.to_numpy(batch).items()}


def torch_reader(device: str) -> Callable[[_worker.Batch], dict[str, Any]]:
    """Return what turns batches into tensors on the device: "cpu" or "cuda".

    Raises:
        RuntimeError: torch sees no GPU.

    """
    return to_torch if device == "cpu" else StagedReader(Gpu(), to_torch)


class _Staged(NamedTuple):
    columns: dict[str, Any]
    copied: Any  # The event behind the copies.


class Gpu:
    """The first GPU that this worker sees, with a stream for copies from pinned memory."""

    def __init__(self) -> None:
        if not torch.cuda.is_available():
            raise RuntimeError(
                "num_gpus asks for a GPU, but torch sees none in this worker; install a torch that "
                "is built for it, or leave num_gpus out"
            )
        self._copies = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def stage(self, columns: dict[str, Any]) -> _Staged:
        """Copy tensors into pinned memory, and begin to copy them on from there."""
        with torch.cuda.stream(self._copies):
            there = {
                name: values.pin_memory().to("cuda", non_blocking=True)
                if isinstance(values, torch.Tensor)
                else values
                for name, values in columns.items()
            }
            copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied.record(self._copies)
        return _Staged(there, copied)

    def take(self, staged: _Staged) -> dict[str, Any]:
        """Return the tensors; what this thread computes next waits for the copies."""
        stream = torch.cuda.current_stream()
        stream.wait_event(staged.copied)
        for values in staged.columns.values():
            if isinstance(values, torch.Tensor):
                values.record_stream(stream)  # Its memory came from the other stream.
        return staged.columns


def _tensor(values: Any) -> Any:
    return torch.from_numpy(values) if values.dtype.kind in _NUMBERS else values
