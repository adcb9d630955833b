"""Expressions over columns, such as `col("a") > 3`, for `filter(expr=...)`.

An expression is data: the engine evaluates it on whole columns, with Arrow's compute functions.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any

from penstock.data import arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

_Scalar = (bool, int, float, str)


class Expr:
    """A value computed for each row. Made by `col`, `lit` and operators; `&`, `|`, `~` combine."""

    __slots__ = ("_tree",)
    __hash__ = object.__hash__

    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = tree

    def to_json(self) -> str:
        """Return the form that the engine reads."""
        return json.dumps(self._tree)

    def __repr__(self) -> str:
        return f"Expr({_text(self._tree)})"

    def __bool__(self) -> bool:
        raise TypeError(
            "An expression has no truth value; combine expressions with &, | and ~ "
            f"instead of and, or and not: {self!r}"
        )

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return _call("equal", self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return _call("not_equal", self, other)

    def __lt__(self, other: object) -> Expr:
        return _call("less", self, other)

    def __le__(self, other: object) -> Expr:
        return _call("less_equal", self, other)

    def __gt__(self, other: object) -> Expr:
        return _call("greater", self, other)

    def __ge__(self, other: object) -> Expr:
        return _call("greater_equal", self, other)

    def __and__(self, other: object) -> Expr:
        return _call("and_kleene", self, other)

    def __rand__(self, other: object) -> Expr:
        return _call("and_kleene", other, self)

    def __or__(self, other: object) -> Expr:
        return _call("or_kleene", self, other)

    def __ror__(self, other: object) -> Expr:
        return _call("or_kleene", other, self)

    def __invert__(self) -> Expr:
        return _call("invert", self)

    def __add__(self, other: object) -> Expr:
        return _call("add", self, other)

    def __radd__(self, other: object) -> Expr:
        return _call("add", other, self)

    def __sub__(self, other: object) -> Expr:
        return _call("subtract", self, other)

    def __rsub__(self, other: object) -> Expr:
        return _call("subtract", other, self)

    def __mul__(self, other: object) -> Expr:
        return _call("multiply", self, other)

    def __rmul__(self, other: object) -> Expr:
        return _call("multiply", other, self)

    def __truediv__(self, other: object) -> Expr:
        return _true_divide(self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return _true_divide(other, self)

    def __floordiv__(self, other: object) -> Expr:
        return _call("floor", _true_divide(self, other))

    def __rfloordiv__(self, other: object) -> Expr:
        return _call("floor", _true_divide(other, self))

    def __mod__(self, other: object) -> Expr:
        return self - (self // other) * other

    def __neg__(self) -> Expr:
        return _call("negate", self)

    def __abs__(self) -> Expr:
        return _call("abs", self)

    def abs(self) -> Expr:
        """Return the absolute value."""
        return abs(self)

    def is_null(self) -> Expr:
        """Return whether the value is missing."""
        return _call("is_null", self)

    def is_not_null(self) -> Expr:
        """Return whether the value is there."""
        return _call("is_valid", self)

    def is_in(self, values: Iterable[object]) -> Expr:
        """Return whether the value equals one of `values`; None among them means missing."""
        tests = [self.is_null() if value is None else self == value for value in values]
        return _any(tests) if tests else lit(False)

    def not_in(self, values: Iterable[object]) -> Expr:
        """Return whether the value equals none of `values`."""
        return ~self.is_in(values)


def col(name: str) -> Expr:
    """Return the column `name`."""
    if not isinstance(name, str):
        raise TypeError(f"col() needs a column's name (str); got: {name!r}")
    arguments.check_column_name(name)
    return Expr({"column": name})


def lit(value: object) -> Expr:
    """Return a constant: None, bool, int, float, str, date or datetime (NumPy's scalars too).

    Raises:
        TypeError: any other value.
        ValueError: text with a lone surrogate.

    """
    item = getattr(value, "item", None)
    plain = item() if callable(item) and not isinstance(value, _Scalar) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return Expr({"literal": str(plain), "type": "double"})
    if isinstance(plain, str) and not arguments.is_utf8(plain):
        raise ValueError(f"A constant must be text that UTF-8 can hold; got: {plain!r}")
    if plain is None or isinstance(plain, _Scalar):
        return Expr({"literal": plain})
    if isinstance(plain, dt.datetime) and plain.tzinfo is None:
        return Expr({"literal": plain.isoformat(sep=" "), "type": "timestamp[us]"})
    if isinstance(plain, dt.date) and not isinstance(plain, dt.datetime):
        return Expr({"literal": plain.isoformat(), "type": "date32"})
    raise TypeError(
        "A constant must be None, bool, int, float, str, date or datetime without a zone; "
        f"got: {value!r}"
    )


def as_expr(value: object) -> Expr:
    """Return an expression as it is, and anything else as a constant."""
    return value if isinstance(value, Expr) else lit(value)


def _call(function: str, *operands: object) -> Expr:
    trees = [as_expr(operand)._tree for operand in operands]  # noqa: SLF001 - our own class
    return Expr({"call": function, "arguments": trees})


def _any(tests: list[Expr]) -> Expr:
    """Combine by `or`, as a balanced tree: a long list must not nest deeply."""
    if len(tests) == 1:
        return tests[0]
    middle = len(tests) // 2
    return _any(tests[:middle]) | _any(tests[middle:])


def _true_divide(left: object, right: object) -> Expr:
    # Arrow divides integers without a fraction; a factor of 1.0 makes them floating-point first.
    return _call("divide", _call("multiply", left, 1.0), right)


_SYMBOLS = {
    "add": "+",
    "and_kleene": "&",
    "divide": "/",
    "equal": "==",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "multiply": "*",
    "not_equal": "!=",
    "or_kleene": "|",
    "subtract": "-",
}


def _text(tree: dict[str, Any]) -> str:
    if "column" in tree:
        return str(tree["column"])
    if "literal" in tree:
        return repr(tree["literal"])
    arguments = [_text(argument) for argument in tree["arguments"]]
    symbol = _SYMBOLS.get(tree["call"])
    if symbol is None:
        return f"{tree['call']}({', '.join(arguments)})"
    return f"({f' {symbol} '.join(arguments)})"
