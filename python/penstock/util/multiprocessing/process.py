"""What runs in a process of a pool."""

from __future__ import annotations

import pickle
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.worker import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NOT_THERE = object()


class Form(Enum):
    """What the items of a chunk are to the function."""

    ARGUMENT = "argument"  # Its one argument.
    ARGUMENTS = "arguments"  # A sequence of its arguments.
    CALL = "call"  # A pair: its arguments and keyword arguments.


class Answer(NamedTuple):
    """What a chunk's calls returned; None in the place of those in `failures`, packed."""

    values: list[Any]
    failures: dict[int, bytes]


class PoolProcess:
    """Calls functions on chunks of items, one chunk at a time.

    What a script's function sets as global variables is seen by its later calls, and what the
    initializer has set by all functions' calls: as if they were of one module here.
    """

    def __init__(self, initializer: Callable[..., Any] | None, initargs: Iterable[Any]) -> None:
        self._packed = b""  # The function of the last chunk, and as it came.
        self._function: Callable[..., Any] | None = None
        self._globals: dict[str, Any] = {}  # What the initializer has set.
        if initializer is None:
            return
        variables = _script_variables(initializer)
        before = dict(variables)
        initializer(*initargs)
        self._globals = {
            name: value
            for name, value in variables.items()
            if before.get(name, _NOT_THERE) is not value
        }

    def run(self, packed: bytes, form: Form, items: list[Any]) -> Answer:
        """Call the function on each item; what some of them raise keeps no other from its turn."""
        function = self._unpacked(packed)
        values: list[Any] = []
        failures: dict[int, bytes] = {}
        for place, item in enumerate(items):
            try:
                values.append(_call(function, form, item))
            except Exception as error:  # noqa: BLE001  # Whatever the user's function raises.
                values.append(None)
                failures[place] = failure.pack(error, function="")
        return Answer(values, failures)

    def _unpacked(self, packed: bytes) -> Callable[..., Any]:
        if self._function is None or self._packed != packed:
            self._function = pickle.loads(packed)
            self._packed = packed
            _script_variables(self._function).update(self._globals)
        return self._function


def _script_variables(function: Any) -> dict[str, Any]:
    """Return the global variables that came with a function of the script, and are its own."""
    if getattr(function, "__module__", "") != "__main__":
        return {}
    variables: dict[str, Any] = getattr(function, "__globals__", {})
    return variables


def _call(function: Callable[..., Any], form: Form, item: Any) -> Any:
    if form is Form.ARGUMENT:
        return function(item)
    if form is Form.ARGUMENTS:
        return function(*item)
    args, kwargs = item
    return function(*args, **kwargs)
