"""Has objects of the user's classes travel between processes in another form."""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def register_serializer(
    cls: type, *, serializer: Callable[[Any], Any], deserializer: Callable[[Any], Any]
) -> None:
    """Have objects of `cls` itself, wherever this process pickles them, travel in another form.

    Args:
        cls: the class; not those derived from it.
        serializer: makes of an object what travels.
        deserializer: makes the object of it again, in the process where it arrives.

    """
    copyreg.pickle(cls, lambda value: (deserializer, (serializer(value),)))


def deregister_serializer(cls: type) -> None:
    """Take back what `register_serializer` has set; nothing happens where it has not."""
    copyreg.dispatch_table.pop(cls, None)
