"""How tensors of torch travel: their memory as it lies, which others see without a copy."""

from __future__ import annotations

import pickle
from typing import Any

from penstock import _worker


def reduce_tensor(value: Any) -> Any:
    """Return how to build a tensor again, or NotImplemented for all but plain ones on the CPU.

    What else torch's own pickling keeps (gradients asked for, attributes, odd layouts) is left to
    that.
    """
    import torch

    if type(value) is not torch.Tensor or not _is_plain(torch, value):
        return NotImplemented
    memory: Any = value.contiguous().reshape(-1).view(torch.uint8).numpy()
    return _rebuild, (pickle.PickleBuffer(memory), str(value.dtype)[6:], tuple(value.shape))


def _is_plain(torch: Any, value: Any) -> bool:
    return (
        value.device.type == "cpu"
        and value.layout is torch.strided
        and not value.requires_grad
        and not value.is_quantized
        and not value.is_conj()
        and not value.is_neg()
        and value.numel() > 0
        and not vars(value)
    )


def _rebuild(memory: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    """Build a tensor over memory that it may write to without anybody else's seeing it."""
    import torch

    own = memory if isinstance(memory, bytearray) else _worker.private_memory(memory)
    return torch.frombuffer(own, dtype=getattr(torch, dtype)).reshape(shape)
