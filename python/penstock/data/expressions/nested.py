"""The functions of lists, structs and maps: `col("a").list`, `.arr`, `.struct`, `.map`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from penstock.data.arguments import is_whole_number
from penstock.data.expressions.node import Namespace, as_expr, call

if TYPE_CHECKING:
    from penstock.data.expressions.node import Expr


class ListNamespace(Namespace):
    """Functions of lists; positions count from 0."""

    __slots__ = ()

    def len(self) -> Expr:
        """Return the number of values."""
        return call("list_value_length", self._expr)

    def get(self, index: int) -> Expr:
        """Return the value at `index`; a list that is too short fails the job."""
        return call("list_element", self._expr, index)

    def __getitem__(self, key: int | slice) -> Expr:
        """Return one value, or a list of some: `[0]`, `[1:3]`."""
        if isinstance(key, slice):
            return self.slice(key.start, key.stop, key.step)
        if is_whole_number(key):
            return self.get(int(key))
        raise TypeError(f"List indices must be integers or slices; got: {key!r}")

    def slice(
        self, start: int | None = None, stop: int | None = None, step: int | None = None
    ) -> Expr:
        """Return the values from `start` to before `stop`; none of the numbers is negative."""
        return call("list_slice", self._expr, start=start or 0, stop=stop, step=step)

    def sort(
        self,
        order: Literal["ascending", "descending"] = "ascending",
        null_placement: Literal["at_start", "at_end"] = "at_end",
    ) -> Expr:
        """Return the values of each list in order."""
        if order not in ("ascending", "descending"):
            raise ValueError(f"order must be 'ascending' or 'descending'; got: {order!r}")
        if null_placement not in ("at_start", "at_end"):
            raise ValueError(
                f"null_placement must be 'at_start' or 'at_end'; got: {null_placement!r}"
            )
        return call("list_value_sort", self._expr, order, null_placement)

    def flatten(self) -> Expr:
        """Return one list of what the lists in a list hold."""
        return call("list_value_flatten", self._expr)

    def sum(self) -> Expr:
        """Return the sum of the numbers in a list, missing ones left out; 0 for an empty list."""
        return call("list_value_sum", self._expr)


class ArrayNamespace(Namespace):
    """Functions of lists that all have one length."""

    __slots__ = ()

    def flatten(self) -> Expr:
        """Return one list of what the lists in a list hold."""
        return call("list_value_flatten", self._expr)

    def to_list(self) -> Expr:
        """Return the same values as lists of any length; other lists as they are."""
        return call("list_from_fixed", self._expr)


class StructNamespace(Namespace):
    """The fields of structs."""

    __slots__ = ()

    def field(self, field_name: str) -> Expr:
        """Return the field of this name."""
        if not isinstance(field_name, str):
            raise TypeError(f"A struct's field has a name (str); got: {field_name!r}")
        return call("struct_field", self._expr, field=field_name)

    def field_by_index(self, index: int) -> Expr:
        """Return the field at this position."""
        if not is_whole_number(index):
            raise TypeError(f"A struct's field has a position (int); got: {index!r}")
        if index < 0:
            raise ValueError(f"A struct's positions count from 0; got: {index}")
        return call("struct_field", self._expr, field=int(index))

    def __getitem__(self, key: str | int) -> Expr:
        """Return the field of this name or at this position."""
        return self.field(key) if isinstance(key, str) else self.field_by_index(key)


class MapNamespace(Namespace):
    """Functions of maps; lists of structs count as maps of their first two fields."""

    __slots__ = ()

    def keys(self) -> Expr:
        """Return the keys as a list."""
        return call("map_keys", self._expr)

    def values(self) -> Expr:
        """Return the values as a list."""
        return call("map_values", self._expr)

    def get(self, key: object) -> Expr:
        """Return the first value of this key; null where there is none."""
        return call("map_lookup", self._expr, key=as_expr(key).tree)
