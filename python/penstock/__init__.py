"""Offline batch inference: read a data set, run models over every row, write the result.

`penstock.data` offers Ray Data's names. Everything is imported on first use, so that
`import penstock` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock import data
    from penstock.session import init, is_initialized, shutdown

__version__ = "0.1.0"
__all__ = ["__version__", "data", "init", "is_initialized", "shutdown"]

_SESSION_NAMES = frozenset({"init", "is_initialized", "shutdown"})
_SUBMODULES = frozenset({"data", "errors", "exceptions"})


def __getattr__(name: str) -> object:
    if name in _SESSION_NAMES:
        value: object = getattr(importlib.import_module("penstock.session"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"penstock.{name}")
    else:
        raise AttributeError(f"module 'penstock' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
