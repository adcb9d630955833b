"""How functions and classes that tasks run travel to the workers."""

from __future__ import annotations

import os
import pickle
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.worker.callables import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Definition(NamedTuple):
    """A function or class as it arrives in a worker."""

    function: Callable[..., Any]
    retry_exceptions: bool | Sequence[type[BaseException]]

    def wants_retry(self, error: BaseException) -> bool:
        """Say whether a call that has raised this is to be tried again."""
        if isinstance(self.retry_exceptions, bool):
            return self.retry_exceptions and isinstance(error, Exception)
        return isinstance(error, tuple(self.retry_exceptions))


def pack_definition(
    function: Callable[..., Any],
    retry_exceptions: bool | Sequence[type[BaseException]] | None = None,  # noqa: FBT001  # Ray's.
) -> bytes:
    """Pack a function or class, and where the workers find its modules.

    What the script or notebook defines travels by value.

    Raises:
        TypeError: it, or something that it refers to, cannot be sent to another process.

    """
    import cloudpickle

    try:
        inner = cloudpickle.dumps((function, retry_exceptions or False))
    except Exception as error:
        from penstock.worker.unpicklable import find_unpicklable

        place = find_unpicklable(function)
        raise TypeError(
            f"{name_of(function)} cannot be sent to the worker processes: something that it refers "
            f"to cannot be pickled{place and ': '}{place}. Create such things inside of the "
            f"function, or in __init__ of a class. The cause: {error}"
        ) from error
    here = os.getcwd()  # noqa: PTH109  # As text; pathlib would be an import for it alone.
    return pickle.dumps(([folder or here for folder in sys.path], inner))


def unpack_definition(packed: bytes, folder: str = "") -> Definition:
    """Return the function; from here on this process finds modules where the sender does.

    Before that in `folder`, where one is named.
    """
    folders, inner = pickle.loads(packed)
    if folder:
        folders = [folder, *folders]
    if sys.path != folders:
        sys.path[:] = folders
    return Definition(*pickle.loads(inner))
