"""What a write does where its output is there already."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class SaveMode(enum.Enum):
    """What to do where the output folder holds files already."""

    APPEND = "append"
    OVERWRITE = "overwrite"
    IGNORE = "ignore"
    ERROR = "error"
    CREATE = "create"
    UPSERT = "upsert"


def mode_name(mode: SaveMode | str) -> str:
    """Return the engine's name of a mode.

    Raises:
        ValueError: no such mode.
        NotImplementedError: UPSERT, which files know not.

    """
    try:
        known = mode if isinstance(mode, SaveMode) else SaveMode(str(mode).lower())
    except ValueError:
        names = ", ".join(member.value for member in SaveMode)
        raise ValueError(f"mode must be a SaveMode or one of {names}; got: {mode!r}") from None
    if known is SaveMode.UPSERT:
        raise NotImplementedError("Writers of files do not support the mode: upsert")
    return "error" if known is SaveMode.CREATE else known.value


def mode_among(operation: str, mode: SaveMode | str, known: Collection[str]) -> str:
    """Return the name of a mode that the operation knows.

    Raises:
        ValueError: it knows others.

    """
    name: str = mode.value if isinstance(mode, SaveMode) else str(mode).lower()
    if name not in known:
        raise ValueError(f"{operation} knows the modes {', '.join(known)}; got: {mode!r}")
    return name
