"""What a GPU's errors mean. Told by class names and texts: no library is imported for it."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

from penstock import _worker

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHAIN_MAX = 16
_OUT_OF_MEMORY_CLASS = "OutOfMemoryError"  # Of torch, torch.cuda and cupy.
_DEVICE_MODULES = frozenset({"torch", "cupy", "cupy_backends", "jax", "jaxlib", "numba"})
_OUT_OF_MEMORY = (
    "cuda out of memory",
    "hip out of memory",
    "cuda error: out of memory",
    "cuda_error_out_of_memory",
    "cudaerrormemoryallocation",
    "cublas_status_alloc_failed",
    "resource_exhausted",
)
_SPEAKS_OF_DEVICE = ("cuda", "hip error", "nccl")
# After one of these every call of the process fails alike.
_STICKY = (
    "device-side assert",
    "an illegal memory access",
    "unspecified launch failure",
    "an illegal instruction",
    "misaligned address",
    "invalid program counter",
    "hardware stack error",
    "the launch timed out",
    "ecc error",
    "gpu is lost",
    "device(s) is/are busy or unavailable",
    "cudaerrorassert",
    "cudaerrorillegaladdress",
    "cudaerrorlaunchfailure",
    "cudaerroreccuncorrectable",
    "cudaerrordevicesunavailable",
    "cuda_error_assert",
    "cuda_error_illegal_address",
    "cuda_error_launch_failed",
    "cuda_error_ecc_uncorrectable",
    "cuda_error_device_unavailable",
)


def ran_out_of_memory(error: BaseException) -> bool:
    """Say whether a GPU had too little memory for the call, which may do with less."""
    if not _is_of_device(error):
        return False
    if any(kind.__name__ == _OUT_OF_MEMORY_CLASS for kind in type(error).__mro__):
        return True
    return any(text in _text(error) for text in _OUT_OF_MEMORY)


def is_sticky(error: BaseException) -> bool:
    """Say whether the process cannot use its GPU any more, by the error or those behind it."""
    return any(_is_of_device(link) and _tells_of_end(_text(link)) for link in _chain(error))


def end_if_sticky(error: BaseException) -> None:
    """End the process at once, with words and the traceback, after such an error."""
    if not is_sticky(error):
        return
    sys.stdout.flush()
    sys.excepthook(type(error), error, error.__traceback__)
    sys.stderr.write(
        "penstock: after this error no call to the GPU succeeds in this process any more, so the "
        "worker ends.\n"
    )
    sys.stderr.flush()
    os._exit(_worker.STICKY_DEVICE_EXIT)


def empty_caches() -> None:
    """Give a GPU back what the libraries of this process keep of it for later."""
    gc.collect()  # Cycles may hold tensors.
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    cupy: Any = sys.modules.get("cupy")
    if cupy is not None:
        cupy.get_default_memory_pool().free_all_blocks()


def _is_of_device(error: BaseException) -> bool:
    """Say whether a GPU's library may have raised it: others' errors may cite such texts."""
    module = type(error).__module__.partition(".")[0]
    return isinstance(error, RuntimeError) or module in _DEVICE_MODULES


def _tells_of_end(text: str) -> bool:
    return any(word in text for word in _SPEAKS_OF_DEVICE) and any(
        phrase in text for phrase in _STICKY
    )


def _text(error: BaseException) -> str:
    try:
        return str(error).lower()
    except Exception:  # noqa: BLE001  # Whatever the class's own __str__ raises.
        return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_CHAIN_MAX):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__
