"""Finds what keeps a function from being pickled, for the error that says so."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any

from penstock.worker import by_value

ADVICE = "Create such things inside of the function, or in __init__ of a class."
_DEPTH_MAX = 12
_INNERMOST = 2  # Names shown, beside the outermost.


class Arguments(dict[str, Any]):
    """What a function is given, by the names of the options that hold it."""


def refusal(said: str, cause: Exception, *values: Any, advice: str = "") -> TypeError:
    """Return the error of values that cannot be sent on: the first of them that has a bad part.

    `said` is its beginning, up to "cannot be pickled"; `advice` a sentence of what to do. A value
    that is `Arguments` is told by their names.
    """
    place = next(filter(None, map(find_unpicklable, values)), "")
    where = f": {place}" if place else ""
    do = f" {advice}" if advice else ""
    return TypeError(f"{said} cannot be pickled{where}.{do} The cause: {cause}")


def find_unpicklable(value: Any) -> str:
    """Return where the part lies that cannot be pickled, by its first and last names; "" if not."""
    places: list[str] = []
    seen = {id(value)}
    while len(places) < _DEPTH_MAX:
        for place, part in _parts(value):
            if id(part) not in seen and not _can_pickle(part):
                seen.add(id(part))
                places.append(place)
                value = part
                break
        else:
            break
    if not places:
        return ""
    if len(places) > _INNERMOST + 1:
        places[1:-_INNERMOST] = ["…"]
    kind = type(value)
    return f"{', '.join(places)}, which is a {kind.__module__}.{kind.__qualname__}"


def _can_pickle(value: Any) -> bool:
    try:
        by_value.dumps(value)
    except Exception:  # noqa: BLE001  # Whatever an object's own methods raise.
        return False
    return True


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what pickling `value` pickles with it, each with words that say where it is."""
    if isinstance(value, FunctionType):
        yield from _parts_of_function(value)
    elif by_value.is_cached(value):
        yield from _parts(value.__wrapped__)
    elif isinstance(value, MethodType):
        yield f"the object of {value.__qualname__}", value.__self__
    elif isinstance(value, functools.partial):
        yield "the function of the partial", value.func
        yield from _parts([*value.args, *value.keywords.values()])
    elif isinstance(value, Arguments):
        for option, given in value.items():
            items = given.items() if isinstance(given, Mapping) else enumerate(given)
            yield from ((f"{option}[{key!r}]", part) for key, part in items)
    elif isinstance(value, Mapping):
        yield from ((f"the item {key!r}", part) for key, part in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"the item {place}", part) for place, part in enumerate(value))
    else:
        owner = value if isinstance(value, type) else type(value)
        named = vars(value).items() if hasattr(value, "__dict__") else ()
        yield from ((f"the attribute {name} of {owner.__qualname__}", part) for name, part in named)
        if owner is not value:
            yield f"the class {owner.__qualname__}", owner


def _parts_of_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    name = function.__qualname__
    for variable, cell in zip(
        function.__code__.co_freevars, function.__closure__ or (), strict=True
    ):
        try:
            yield f"the variable {variable} of {name}", cell.cell_contents
        except ValueError:  # The variable is not set yet.
            continue
    for variable in function.__code__.co_names:
        if variable in function.__globals__:
            yield f"the global {variable} of {name}", function.__globals__[variable]
    for default in function.__defaults__ or ():
        yield f"a default of {name}", default
