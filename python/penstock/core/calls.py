"""What calls of functions and methods have in common: their arguments before, references after."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from penstock.core.options import STREAMING
from penstock.core.references import ObjectRef, ObjectRefGenerator

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._worker import Client


class Arguments:
    """Knows what arguments a function, class or method of this name takes."""

    def __init__(self, name: str, signature: inspect.Signature | None) -> None:
        self._name = name
        self._signature = signature
        self._plain = _plain_counts(signature)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse arguments that do not fit, here rather than in the worker.

        Raises:
            TypeError: they do not.

        """
        if self._signature is None or (not kwargs and len(args) in self._plain):
            return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._name}{self._signature}: {error}") from None


class Told:
    """What the hub is told of a function or class: made once for each connection.

    What `make` looks at, the machine's resources and what `init` has set, stays as it is for as
    long as a connection lasts.
    """

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._connected: Client | None = None
        self._text = ""

    def text(self, connected: Client) -> str:
        """Return it. Raises as `make`."""
        if self._connected is not connected:
            self._text = self._make()
            self._connected = connected
        return self._text


def references(task: int, returns: int) -> Any:
    """Return the references to what a task returns; the hub counts them already."""
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


def _plain_counts(signature: inspect.Signature | None) -> range:
    """Return how many arguments it takes by their places alone."""
    parameters = [] if signature is None else list(signature.parameters.values())
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return range(0)
    required = [parameter for parameter in parameters if parameter.default is parameter.empty]
    if any(parameter.kind is parameter.KEYWORD_ONLY for parameter in required):
        return range(0)
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    least = sum(parameter.kind in places for parameter in required)
    most = sum(parameter.kind in places for parameter in parameters)
    return range(least, most + 1)
