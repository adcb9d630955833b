"""`Expr`: an expression over columns, as data that the engine evaluates with Arrow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.expressions.literals import literal_tree, set_options
from penstock.data.expressions.operators import Operators

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.data.expressions.nested import (
        ArrayNamespace,
        ListNamespace,
        MapNamespace,
        StructNamespace,
    )
    from penstock.data.expressions.strings import StringNamespace
    from penstock.data.expressions.times import DatetimeNamespace

    Text = str  # The class has a property of the name.


class Expr(Operators):
    """A value computed for each row. Made by `col`, `lit` and operators; `&`, `|`, `~` combine.

    What it yields is what Arrow's compute functions yield, as in Ray Data:

    - null in, null out, but for `is_null`, `is_not_null`, `is_in`, `not_in`, `&`, `|` (which follow
      three-valued logic) and what says otherwise;
    - `/` of whole numbers drops the fraction; cast one of them to float64 to keep it. Dividing a
      whole number by zero fails the job; a floating-point one yields an infinity or NaN;
    - `a // b` and `a % b` are as in Python: rounded down, and what is left then, with the sign of
      `b`; of whole numbers they are exact whole numbers. A whole number divided by zero fails the
      job as with `/`;
    - constants count as int64 and float64, as NumPy's columns do: an int8 plus 100 is an int64;
    - whole numbers wrap around where a result does not fit; `+` joins texts.
    """

    __slots__ = ("_name", "_tree")
    __hash__ = object.__hash__

    def __init__(self, tree: dict[Text, Any], name: Text | None = None) -> None:
        self._tree = tree
        self._name = name

    @property
    def tree(self) -> dict[Text, Any]:
        """The expression as the engine reads it; functions of Python stand in it as objects."""
        return self._tree

    @property
    def name(self) -> Text | None:
        """What `alias` said, or the column's name; None for anything else."""
        return self._tree.get("column") if self._name is None else self._name

    def to_json(self) -> Text:
        """Return the form that the engine reads.

        Raises:
            TypeError: a function of Python takes part.

        """
        return json.dumps(self._tree, default=_refuse_python)

    def alias(self, name: Text) -> Expr:
        """Return the same value under the name that `with_columns` gives its column."""
        if not isinstance(name, str):
            raise TypeError(f"alias() needs a column's name (str); got: {name!r}")
        arguments.check_column_name(name)
        return Expr(self._tree, name)

    def __repr__(self) -> Text:
        alias = "" if self._name is None else f", {self._name!r}"
        return f"Expr({tree_text(self._tree)}{alias})"

    def __bool__(self) -> bool:
        raise TypeError(
            "An expression has no truth value; combine expressions with &, | and ~ "
            f"instead of and, or and not: {self!r}"
        )

    def _call(self, function: Text, *operands: object) -> Expr:
        return call(function, *operands)

    def round(self, decimals: int = 0) -> Expr:
        """Return the number rounded to so many decimals; a half goes to the even neighbour."""
        return call("round", self, ndigits=decimals or None)

    def is_null(self) -> Expr:
        """Return whether the value is missing."""
        return call("is_null", self)

    def is_not_null(self) -> Expr:
        """Return whether the value is there."""
        return call("is_valid", self)

    def is_nan(self) -> Expr:
        """Return whether the floating-point number is NaN."""
        return call("is_nan", self)

    def is_in(self, values: Iterable[object]) -> Expr:
        """Return whether the value is one of `values`; never null; None means missing."""
        return call("is_in", self, **set_options(values))

    def not_in(self, values: Iterable[object]) -> Expr:
        """Return whether the value is none of `values`: true for a missing one, unless None is."""
        return ~self.is_in(values)

    def between(self, lower: object, upper: object) -> Expr:
        """Return whether the value lies between the two, both included."""
        return (self >= lower) & (self <= upper)

    def fill_null(self, value: object) -> Expr:
        """Return the value, or `value` where it is missing."""
        bare_null = as_expr(value).tree == {"literal": None}
        return self if bare_null else call("coalesce", self, value)

    def cast(self, target_type: object, *, safe: bool = True) -> Expr:
        """Return the value as another type.

        Args:
            target_type: a `DataType`, a pyarrow type or its text, or int, float, str, bool, bytes.
            safe: fail the job where a value does not fit; False cuts it to fit.

        """
        from penstock.data.datatype import type_text

        return call("cast", self, type=type_text(target_type), safe=safe)

    @property
    def str(self) -> StringNamespace:
        """The functions of texts."""
        from penstock.data.expressions.strings import StringNamespace

        return StringNamespace(self)

    @property
    def list(self) -> ListNamespace:
        """The functions of lists."""
        from penstock.data.expressions.nested import ListNamespace

        return ListNamespace(self)

    @property
    def arr(self) -> ArrayNamespace:
        """The functions of lists of one length."""
        from penstock.data.expressions.nested import ArrayNamespace

        return ArrayNamespace(self)

    @property
    def struct(self) -> StructNamespace:
        """The fields of structs."""
        from penstock.data.expressions.nested import StructNamespace

        return StructNamespace(self)

    @property
    def map(self) -> MapNamespace:
        """The functions of maps."""
        from penstock.data.expressions.nested import MapNamespace

        return MapNamespace(self)

    @property
    def dt(self) -> DatetimeNamespace:
        """The functions of dates and times."""
        from penstock.data.expressions.times import DatetimeNamespace

        return DatetimeNamespace(self)


class Namespace:
    """The functions of one kind of values, for the expression that they are asked of."""

    __slots__ = ("_expr",)

    def __init__(self, expr: Expr) -> None:
        self._expr = expr


def as_expr(value: object) -> Expr:
    """Return an expression as it is, and anything else as a constant."""
    return value if isinstance(value, Expr) else Expr(literal_tree(value))


def call(function: str, *operands: object, **options: object) -> Expr:
    """Return what Arrow's function yields; options that are None are left out."""
    tree: dict[str, Any] = {
        "call": function,
        "arguments": [as_expr(operand).tree for operand in operands],
    }
    given = {name: value for name, value in options.items() if value is not None}
    if given:
        tree["options"] = given
    return Expr(tree)


_SYMBOLS = {
    "add": "+",
    "and_kleene": "&",
    "divide": "/",
    "equal": "==",
    "floor_divide": "//",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "modulo": "%",
    "multiply": "*",
    "not_equal": "!=",
    "or_kleene": "|",
    "power": "**",
    "subtract": "-",
}


def tree_text(tree: dict[str, Any]) -> str:
    """Return an expression as a person reads it."""
    if "arguments" not in tree:
        return _leaf_text(tree)
    if "several" in tree:
        return "*" if tree["several"] is None else f"unnest({tree_text(tree['several'])})"
    operands = [tree_text(argument) for argument in tree["arguments"]]
    name = tree["call"] if "call" in tree else tree["python"].name
    symbol = _SYMBOLS.get(name)
    if symbol is not None:
        return f"({f' {symbol} '.join(operands)})"
    options = [f"{key}={value!r}" for key, value in tree.get("options", {}).items()]
    return f"{name}({', '.join(operands + options)})"


def _leaf_text(tree: dict[str, Any]) -> str:
    if "column" in tree:
        return str(tree["column"])
    if "position" in tree:
        return f"row {tree['position']}"
    return repr(tree["literal"] if "literal" in tree else tree["constant"])


def _refuse_python(value: object) -> object:
    raise TypeError(f"A function of Python runs in with_column() and filter() alone: {value!r}")
