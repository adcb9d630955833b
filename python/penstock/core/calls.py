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
    """Knows what arguments a function or class takes; `is_method`: its first is given to it."""

    def __init__(self, function: Callable[..., Any], *, is_method: bool = False) -> None:
        self._name = getattr(function, "__qualname__", repr(function))
        signature = _signature(function)
        self._signature = _without_first(signature) if signature and is_method else signature
        self._plain = _plain_counts(self._signature)

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


class MethodArguments:
    """Knows what arguments the methods of a class take; looks at each when it is first asked."""

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._known: dict[str, Arguments | None] = {}

    def of(self, name: str) -> Arguments | None:
        """Return what the method of this name takes; None for what the class does not define."""
        if name not in self._known:
            member = getattr(self._kind, name, None)
            is_method = inspect.isfunction(inspect.getattr_static(self._kind, name, None))
            self._known[name] = None if member is None else Arguments(member, is_method=is_method)
        return self._known[name]


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


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # Some of what is written in C tells nothing.
        return None


def _without_first(signature: inspect.Signature) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        del parameters[0]
    return signature.replace(parameters=parameters)


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
