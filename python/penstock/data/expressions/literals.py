"""Constants of expressions, in the form that the engine reads."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
from typing import TYPE_CHECKING, Any

from penstock.data import arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = (bool, int, float, str)


def literal_tree(value: object) -> dict[str, Any]:
    """Return the engine's form of a constant.

    Raises:
        TypeError: a value that no constant has.
        ValueError: text with a lone surrogate.

    """
    if isinstance(value, list | tuple | dict) or (hasattr(value, "ndim") and value.ndim > 0):
        return _nested_tree(value)
    item = getattr(value, "item", None)
    plain = item() if callable(item) and not isinstance(value, _PLAIN) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return {"literal": str(plain), "type": "double"}
    if isinstance(plain, str) and not arguments.is_utf8(plain):
        raise ValueError(f"A constant must be text that UTF-8 can hold; got: {plain!r}")
    if plain is None or isinstance(plain, _PLAIN):
        return {"literal": plain}
    typed = _typed(plain)
    if typed is None:
        raise TypeError(
            "A constant must be None, bool, int, float, str, bytes, Decimal, date, time, datetime, "
            f"timedelta, or a list or dict of them; got: {value!r}"
        )
    return {"literal": typed[0], "type": typed[1]}


def _nested_tree(value: Any) -> dict[str, Any]:
    import pyarrow as pa

    plain = value.tolist() if hasattr(value, "tolist") else value
    numbers = pa.array(value.ravel()).type if hasattr(value, "ravel") else None
    try:
        kind = pa.scalar(plain).type
    except pa.ArrowException as error:
        raise TypeError(
            f"A constant list or dict must hold values of one type ({error}): {value!r}"
        ) from None
    if numbers is not None:
        for _ in range(value.ndim):
            numbers = pa.list_(numbers)
        kind = numbers
    return {"literal": _nested_value(plain, kind), "type": str(kind)}


def _nested_value(value: Any, kind: Any) -> Any:
    """Return what stands for a part of a list or dict that has the Arrow type `kind`."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_list(kind):
        return [_nested_value(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: _nested_value(value.get(field.name), field.type) for field in kind}
    return literal_tree(value)["literal"]


def set_options(values: Iterable[object]) -> dict[str, Any]:
    """Return the options of `is_in` for these values.

    Raises:
        TypeError: not constants, or not of one type.

    """
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise TypeError(f"is_in() and not_in() need a list of constants; got: {values!r}")
    trees = [literal_tree(value) for value in values]
    types = {tree.get("type") for tree in trees if tree["literal"] is not None}
    if len(types - {None}) > 1 or (types - {None, "double"} and None in types):
        raise TypeError(f"The values of is_in() must have one type; got: {list(values)!r}")
    return {
        "values": [tree["literal"] for tree in trees],
        "type": max(types, key=str, default=None),
    }


def _typed(value: object) -> tuple[object, str] | None:  # noqa: PLR0911 - one for each type
    """Return what stands for the value, and the type that it is read as."""
    match value:
        case dt.datetime(tzinfo=None):
            return value.isoformat(sep=" "), "timestamp[us]"
        case dt.datetime():
            moment = value.astimezone(dt.UTC).replace(tzinfo=None)
            return moment.isoformat(sep=" ") + "Z", "timestamp[us, tz=UTC]"
        case dt.date():
            return value.isoformat(), "date32"
        case dt.time(tzinfo=None):
            return value.isoformat("microseconds"), "time64[us]"
        case dt.timedelta():
            return value // dt.timedelta(microseconds=1), "duration[us]"
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode(), "binary"
        case decimal.Decimal() if value.is_finite():
            return str(value), _decimal_type(value)
    return None


def _decimal_type(value: decimal.Decimal) -> str:
    _, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    precision = max(len(digits) + max(int(exponent), 0), scale, 1)
    return f"decimal128({precision}, {scale})"
