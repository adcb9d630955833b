"""How functions and classes that tasks run travel to the workers."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.worker import by_value, search_path
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
    try:
        inner = by_value.dumps((function, retry_exceptions or False))
    except Exception as error:
        from penstock.worker.unpicklable import ADVICE, refusal

        said = (
            f"{name_of(function)} cannot be sent to the worker processes: something that it refers "
            "to"
        )
        raise refusal(said, error, function, advice=ADVICE) from error
    return pickle.dumps((search_path.folders(), inner))


def unpack_definition(packed: bytes, folder: str = "") -> Definition:
    """Return the function; from here on this process finds modules where the sender does.

    Before that in `folder`, where one is named.
    """
    folders, inner = pickle.loads(packed)
    search_path.take([folder, *folders] if folder else folders)
    return Definition(*pickle.loads(inner))
