"""What packages whose names are imported on first use have in common."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def found(
    package: str, name: str, places: Mapping[str, str], submodules: Collection[str] = ()
) -> object:
    """Do what the `__getattr__` of a package does; the name is the package's from then on.

    `places`: the module within the package that each name is in.

    Raises:
        AttributeError: neither a place nor a submodule is known by this name.

    """
    if name in places:
        value: object = getattr(importlib.import_module(f"{package}.{places[name]}"), name)
    elif name in submodules:
        value = importlib.import_module(f"{package}.{name}")
    else:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    vars(sys.modules[package])[name] = value
    return value
