"""What calls of functions and methods have in common: their arguments before, references after."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from penstock.core.options import STREAMING
from penstock.core.references import ObjectRef, ObjectRefGenerator

if TYPE_CHECKING:
    from collections.abc import Callable


class Arguments:
    """Knows what arguments a function takes; methods without their first."""

    def __init__(self, function: Callable[..., Any], *, is_method: bool = False) -> None:
        self._name = function.__qualname__
        self._signature = _signature(function, is_method=is_method)
        self._takes_none = self._signature is not None and not self._signature.parameters

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse arguments that do not fit, here rather than in the worker.

        Raises:
            TypeError: they do not.

        """
        if self._signature is None or (self._takes_none and not args and not kwargs):
            return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._name}{self._signature}: {error}") from None


def references(task: int, returns: int) -> Any:
    """Return the references to what the task of this number returns; the hub counts them already."""
    if returns == 1:
        return ObjectRef(task + 1, owned=True)
    if returns == STREAMING:
        return ObjectRefGenerator(task + 1, owned=True)
    if returns == 0:
        return None
    return [ObjectRef(task + 1 + place, owned=True) for place in range(returns)]


def is_generator(function: Callable[..., Any]) -> bool:
    """Return whether calls yield items one by one."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _signature(function: Callable[..., Any], *, is_method: bool) -> inspect.Signature | None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # Some of what is written in C tells nothing.
        return None
    if is_method:
        parameters = list(signature.parameters.values())[1:]
        signature = signature.replace(parameters=parameters)
    return signature
