"""Expressions that stand for several columns: `star` and `unnest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.data.expressions.node import Expr, as_expr, call

if TYPE_CHECKING:
    from collections.abc import Callable


class Several(Expr):
    """What `with_columns` alone takes; it cannot be part of another expression."""

    __slots__ = ("_several",)

    def __init__(self, struct: Expr | None) -> None:
        super().__init__({"several": None if struct is None else struct.tree, "arguments": []})
        self._several = struct

    def _call(self, function: str, *operands: object) -> Expr:
        del operands
        raise TypeError(
            f"star() and unnest() stand for several columns, of which {function} cannot be taken"
        )

    def columns(self, fields_of: Callable[[Expr], list[str]]) -> list[tuple[str, Expr]]:
        """Return the columns that it adds, with `fields_of` to ask for a struct's fields."""
        struct = self._several
        if struct is None:
            return []
        return [(name, call("struct_field", struct, field=name)) for name in fields_of(struct)]


def star() -> Expr:
    """Return all columns as they are: what `with_columns` keeps in any case."""
    return Several(None)


def unnest(struct: object) -> Expr:
    """Return each field of a struct as a column of its name, for `with_columns`.

    `struct` is an expression or a column's name. The data set's schema says the fields, so the
    first rows may be run.
    """
    from penstock.data.expressions import col

    return Several(col(struct) if isinstance(struct, str) else as_expr(struct))
