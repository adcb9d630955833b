"""Turns values into the bytes that the hub keeps, and back.

What offers its memory (NumPy, Arrow, tensors of torch) lies beside the pickled rest, and comes out
as a view of shared memory.
"""

from __future__ import annotations

import io
import pickle
import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.core import connection, references
from penstock.worker import by_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock._worker import Client, Packed, Value

_PROTOCOL = 5
_PLAIN = frozenset({int, float, bool, str, bytes, type(None)})
_NO_ARGUMENTS = pickle.dumps(((), {}), _PROTOCOL)


class Given(NamedTuple):
    """Stands among a call's arguments for the value of a reference."""

    place: int


def dumps(client: Client, value: Any) -> Packed:
    """Pack a value; the references in it are told to the hub with it.

    Raises:
        TypeError: something in it cannot be pickled.

    """
    if type(value) in _PLAIN:
        return client.pack(pickle.dumps(value, _PROTOCOL), [], [])
    return client.pack(*_parts(value, "The value"))


def dumps_call(
    client: Client, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Packed, list[int]]:
    """Pack a call's arguments; return with them the objects whose values it is to be given.

    Raises:
        TypeError: something in them cannot be pickled.

    """
    if not args and not kwargs:
        return client.pack(_NO_ARGUMENTS, [], []), []
    reference = references.ObjectRef
    given: list[int] = []
    placed: list[Any] = []
    is_plain = not kwargs
    for value in args:
        kind = type(value)
        if kind is reference:
            placed.append(_given(value, given))
        else:
            placed.append(value)
            is_plain = is_plain and kind in _PLAIN
    named = {
        name: _given(value, given) if type(value) is reference else value
        for name, value in kwargs.items()
    }
    call = (tuple(placed), named)
    if is_plain:
        return client.pack(pickle.dumps(call, _PROTOCOL), [], []), given
    return client.pack(*_parts(call, "An argument")), given


def loads(value: Value) -> Any:
    """Return the object whose bytes these are; parts of it may be views of shared memory."""
    return pickle.loads(value.pickled, buffers=value.buffers)


def loads_call(arguments: Value, given: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments, with the values it was given in their places."""
    args, kwargs = loads(arguments)
    if not given:
        return args, kwargs
    return (
        tuple(given[value.place] if type(value) is Given else value for value in args),
        {
            name: given[value.place] if type(value) is Given else value
            for name, value in kwargs.items()
        },
    )


def contains(number: int) -> None:
    """Take note that what is being packed refers to this object or actor.

    Called while references are pickled. By pickle itself, where nobody keeps account of them, what
    they refer to is kept for ever.
    """
    found: list[int] | None = getattr(_packing, "found", None)
    if found is None:
        connection.client().hold(number)
    else:
        found.append(number)


_packing = threading.local()


class _ByValueError(Exception):
    """Something in a value must travel by value, as cloudpickle knows how to."""


def _given(reference: references.ObjectRef[Any], given: list[int]) -> Given:
    given.append(references.number_of(reference))
    return Given(len(given) - 1)


def _parts(value: Any, what: str) -> tuple[bytes, list[pickle.PickleBuffer], list[int]]:
    """Return what is pickled of a value, the memory beside it, and what it refers to."""
    outer = getattr(_packing, "found", None)
    try:
        return _attempt(_Pickler, value)
    except Exception:  # noqa: BLE001  # Whatever objects raise that only cloudpickle can pickle.
        try:
            return _attempt(_by_value_pickler(), value)
        except Exception as error:
            from penstock.worker.unpicklable import refusal

            said = f"{what} cannot be sent to another process: something in it"
            raise refusal(said, error, value) from error
    finally:
        _packing.found = outer


def _attempt(pickler: Any, value: Any) -> tuple[bytes, list[pickle.PickleBuffer], list[int]]:
    buffers: list[pickle.PickleBuffer] = []
    found: list[int] = []
    _packing.found = found
    file = io.BytesIO()
    pickler(file, _PROTOCOL, buffer_callback=buffers.append).dump(value)
    return file.getvalue(), buffers, found


class _Pickler(pickle.Pickler):
    """Pickles what modules of the worker's can unpickle; raises where that is not enough."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind is FunctionType or issubclass(kind, type) or by_value.is_cached(value):
            if by_value.travels_by_value(value):
                raise _ByValueError
            return NotImplemented
        return _reduce_data(value)


_by_value_picklers: list[Any] = []


def _by_value_pickler() -> Any:
    """Return cloudpickle's pickler, which takes tensors and Arrow data as ours does."""
    if not _by_value_picklers:
        import cloudpickle

        class ByValuePickler(cloudpickle.Pickler):  # type: ignore[misc]  # It has no types.
            def reducer_override(self, value: Any) -> Any:
                reduced = _reduce_data(value)
                if reduced is NotImplemented:
                    reduced = by_value.reduce_cached(value)
                return super().reducer_override(value) if reduced is NotImplemented else reduced

        _by_value_picklers.append(ByValuePickler)
    return _by_value_picklers[0]


def _reduce_data(value: Any) -> Any:
    """Return how to build again what does not travel well by its own pickling."""
    module = type(value).__module__
    if module == "torch":
        from penstock.core.tensors import reduce_tensor

        return reduce_tensor(value)
    if module == "pyarrow.lib":
        from penstock.core.arrow_data import reduce_arrow

        return reduce_arrow(value)
    return NotImplemented
