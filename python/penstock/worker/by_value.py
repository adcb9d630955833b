"""Pickles what a script or notebook defines by value, functions with a cache among it."""

from __future__ import annotations

import functools
import io
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_picklers: list[Any] = []


def dumps(value: Any) -> bytes:
    """Pickle as cloudpickle does, and what `functools.lru_cache` and `cache` have decorated.

    Each process that unpickles that begins with an empty cache.
    """
    if not _picklers:
        import cloudpickle

        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # It has no types.
            def reducer_override(self, value: Any) -> Any:
                reduced = reduce_cached(value)
                return super().reducer_override(value) if reduced is NotImplemented else reduced

        _picklers.append(Pickler)
    file = io.BytesIO()
    _picklers[0](file).dump(value)
    return file.getvalue()


def is_cached(value: Any) -> bool:
    """Return whether `functools.lru_cache` or `cache` has decorated the function."""
    return isinstance(value, functools._lru_cache_wrapper)  # noqa: SLF001  # It has no other name.


def reduce_cached(value: Any) -> Any:
    """Return how to build such a function again where it travels by value; else NotImplemented."""
    if not is_cached(value) or not travels_by_value(value):
        return NotImplemented
    return _cached, (value.__wrapped__, value.cache_parameters())


def travels_by_value(definition: Any) -> bool:
    """Return whether other processes may not find a function or class in its module."""
    module = definition.__module__
    if module == "__main__" or "<locals>" in definition.__qualname__:
        return True
    cloudpickle = sys.modules.get("cloudpickle")
    if cloudpickle is None or module is None:
        return False
    by_value: set[str] = cloudpickle.list_registry_pickle_by_value()
    return any(module == name or module.startswith(f"{name}.") for name in by_value)


def _cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)
