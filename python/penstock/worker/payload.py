"""How a user's function travels to the workers."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.worker import by_value, search_path
from penstock.worker.callables import is_asynchronous, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BATCH_FORMATS = ("numpy", "pandas", "pyarrow", "torch", "arrow_c", "packed", "rows")


class Payload(NamedTuple):
    """A function as it arrives in a worker; a class is still to be built."""

    function: Callable[..., Any]
    constructor_args: tuple[Any, ...]
    constructor_kwargs: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    batch_format: str
    device: str  # Where tensors are to be.

    @property
    def is_asynchronous(self) -> bool:
        """Whether calls may have to be waited for."""
        return is_asynchronous(self.function)

    def build(self) -> Callable[[Any], Any]:
        """Return what is called with each batch or row; build a class first."""
        call = self.function
        if isinstance(call, type):
            call = call(*self.constructor_args, **self.constructor_kwargs)
        if not self.args and not self.kwargs:
            return call
        return lambda value: call(value, *self.args, **self.kwargs)


def pack_function(
    function: Any,
    *,
    constructor_args: Iterable[Any] | None = None,
    constructor_kwargs: Mapping[str, Any] | None = None,
    args: Iterable[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    batch_format: str = "numpy",
    device: str = "cpu",
    zero_copy: bool = True,
) -> bytes:
    """Pack a function or class with its arguments, and where the workers find its modules.

    What the script or notebook defines travels by value. Batches are always the function's own to
    change, so `zero_copy` asks for nothing that is not so already. `device` is where tensors of
    torch are to be: "cpu" or "cuda".

    Raises:
        TypeError: it, or something that it refers to, cannot be sent to another process.
        ValueError: the batch format is unknown.

    """
    del zero_copy
    if batch_format not in BATCH_FORMATS:
        known = ", ".join(BATCH_FORMATS)
        raise ValueError(f"Unknown batch format; known: {known}; got: {batch_format!r}")
    name = name_of(function)
    parts = (
        function,
        tuple(constructor_args or ()),
        dict(constructor_kwargs or {}),
        tuple(args or ()),
        dict(kwargs or {}),
    )
    try:
        inner = by_value.dumps(parts)
    except Exception as error:
        from penstock.worker.unpicklable import ADVICE, Arguments, refusal

        said = (
            f"{name} cannot be sent to the worker processes: something that it, or one of its "
            "arguments, refers to"
        )
        options = ("fn_constructor_args", "fn_constructor_kwargs", "fn_args", "fn_kwargs")
        arguments = Arguments(zip(options, parts[1:], strict=True))
        raise refusal(said, error, function, arguments, advice=ADVICE) from error
    return pickle.dumps((search_path.folders(), batch_format, device, inner))


def unpack_function(packed: bytes) -> Payload:
    """Return the function; from here on this process finds modules where the driver does."""
    folders, batch_format, device, inner = pickle.loads(packed)
    search_path.take(folders)
    function, constructor_args, constructor_kwargs, args, kwargs = pickle.loads(inner)
    return Payload(
        function, constructor_args, constructor_kwargs, args, kwargs, batch_format, device
    )
