"""What can be known of a user's function without calling it."""

from __future__ import annotations

import functools
from typing import Any

_LOCALS = "<locals>."
# Of code objects; importing inspect for them would cost more than all that is done here.
_COROUTINE = 0x80
_ASYNC_GENERATOR = 0x200


def name_of(function: Any) -> str:
    """Return the name that plans, statistics and errors show: `double`, `Outer.Model.method`."""
    if isinstance(function, functools.partial | functools.partialmethod):
        return name_of(function.func)
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        return name_of(type(function))
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type) and type(owner).__name__ != "module":
        return f"{name_of(type(owner))}.{name}"
    qualified = getattr(function, "__qualname__", None)
    if not isinstance(qualified, str):
        return name
    within = qualified.rpartition(_LOCALS)[2]
    return within if within.endswith(f".{name}") else name


def is_asynchronous(function: Any) -> bool:
    """Say whether a function, or a class's `__call__`, is written with `async`.

    A decorator may hide it; then its results show it.
    """
    while isinstance(function, functools.partial):
        function = function.func
    target = function
    if isinstance(function, type) or not hasattr(function, "__code__"):
        target = getattr(function, "__call__", None)  # noqa: B004  # The method itself is wanted.
    code = getattr(target, "__code__", None)
    return code is not None and bool(code.co_flags & (_COROUTINE | _ASYNC_GENERATOR))
