"""What the process as a whole was told about the machine: `init`, `shutdown`, `is_initialized`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_LOCAL_ADDRESSES = frozenset({"auto", "local"})


class Resources(NamedTuple):
    """What jobs may use; 0 means all that the machine has (memory: a quarter of it).

    Of GPUs -1 means that, and 0 none.
    """

    memory_bytes: int = 0
    processors: int = 0
    gpus: float = -1.0
    others: tuple[tuple[str, float], ...] = ()  # Of the program's own kinds, by name.


class Session:
    """What `init` returns; as a context manager it calls `shutdown` at its end."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutdown()

    def __repr__(self) -> str:
        return f"Session({self.resources})"


_current: Session | None = None


def init(
    address: str | None = None,
    *,
    memory: float | None = None,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    resources: Mapping[str, float] | None = None,
    object_store_memory: float | None = None,
    ignore_reinit_error: bool = False,
    **options: object,
) -> Session:
    """Set what all later jobs of this process may use. Calling it is never required.

    Args:
        address: None, "local" or "auto": this machine.
        memory: bytes of data that a job may hold at once; a quarter of the machine's by default.
        num_cpus: processors; all by default.
        num_gpus: GPUs; by default all that this process may use (CUDA_VISIBLE_DEVICES counts).
        resources: kinds of the program's own and how much there is of each; what the
            `resources=` of a stage's workers may ask for.
        object_store_memory: Ray's name for `memory`.
        ignore_reinit_error: return the session that stands instead of raising.
        options: Ray's other options; only their defaults (None and False) are accepted.

    Raises:
        RuntimeError: called twice without `shutdown` in between.
        ValueError: a limit is not positive.
        NotImplementedError: an option that this version does not support.

    """
    global _current  # noqa: PLW0603 - one session per process is the point
    if _current is not None:
        if ignore_reinit_error:
            return _current
        raise RuntimeError(
            "penstock.init() was called twice; call penstock.shutdown() first, "
            "or pass ignore_reinit_error=True"
        )
    if address is not None and address not in _LOCAL_ADDRESSES:
        raise NotImplementedError(f"Only this machine is supported; got address: {address}")
    for name, value in options.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"penstock.init does not support the option: {name}")
    memory_bytes = memory if memory is not None else object_store_memory
    _current = Session(
        Resources(
            memory_bytes=int(_positive("memory", memory_bytes)),
            processors=int(_positive("num_cpus", num_cpus)),
            gpus=-1.0 if num_gpus is None else _not_negative("num_gpus", num_gpus),
            others=tuple(
                (name, _not_negative(f"resources[{name!r}]", amount))
                for name, amount in (resources or {}).items()
            ),
        )
    )
    return _current


def shutdown() -> None:
    """Stop every running job of this process and forget what `init` set. May be repeated."""
    global _current  # noqa: PLW0603 - one session per process is the point
    _current = None
    execution = sys.modules.get("penstock.data.execution")
    if execution is not None:  # Else nothing has ever run.
        execution.cancel_all()


def is_initialized() -> bool:
    """Return whether `init` was called, and `shutdown` not since."""
    return _current is not None


def resources() -> Resources:
    """Return what `init` set, or the defaults."""
    return _current.resources if _current is not None else Resources()


def _positive(name: str, value: float | None) -> float:
    if value is None:
        return 0
    if value < 1:
        raise ValueError(f"{name} must be at least 1; got: {value}")
    return value


def _not_negative(name: str, value: float) -> float:
    if value < 0:
        raise ValueError(f"{name} must not be negative; got: {value}")
    return float(value)
