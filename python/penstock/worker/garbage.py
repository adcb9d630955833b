"""How often a worker looks for garbage."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SELDOM = (50_000, 10, 10)


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage after 50,000 new objects instead of 700.

    Importing a large library makes hundreds of thousands of objects that stay: looking through them
    again and again is a seventh of the time that torch and transformers take to import.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        if gc.get_threshold() == _SELDOM:  # Else what was built has chosen.
            gc.set_threshold(*before)
