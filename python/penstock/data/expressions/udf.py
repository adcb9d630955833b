"""`udf`: functions of Python over Arrow arrays as parts of expressions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.data.expressions.node import Expr

if TYPE_CHECKING:
    from collections.abc import Callable


class PythonCall(NamedTuple):
    """A function of Python that workers call with columns; a class is built once a worker."""

    name: str
    function: Callable[..., Any]
    return_type: str | None = None
    streams: bool = False  # Takes one column and yields pieces of its result.
    constructor: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    def of(self, *operands: object, **keywords: object) -> Expr:
        """Return the expression that calls the function with these columns and constants."""
        return Expr(
            {
                "python": self,
                "arguments": [_operand(operand) for operand in operands],
                "keywords": {name: _operand(value) for name, value in keywords.items()},
            }
        )


def udf(return_dtype: object = None) -> Callable[[Any], Any]:
    """Decorate a function over columns so that calling it with expressions makes an expression.

    The function gets a pyarrow Array for each column and plain values for constants, for the rows
    of one batch, in a worker; it returns one value a row, as an Array, a NumPy array, a Series or a
    list. A class is decorated alike: `model = Model(path)` keeps the arguments, each worker builds
    it once, and `model(col("a"))` makes the expression.

    Args:
        return_dtype: what the result is cast to: a `DataType`, a pyarrow type or its text; None:
            as returned.

    """
    from penstock.data.datatype import type_text

    return_type = None if return_dtype is None else type_text(return_dtype)

    def decorate(function: Any) -> Any:
        if not callable(function):
            raise TypeError(f"udf() decorates a function or a class; got: {function!r}")
        if isinstance(function, type):
            return _DecoratedClass(function, return_type)
        call = PythonCall(getattr(function, "__name__", "udf"), function, return_type)

        @functools.wraps(function)
        def make(*operands: object, **keywords: object) -> Expr:
            return call.of(*operands, **keywords)

        return make

    return decorate


pyarrow_udf = udf


class _DecoratedClass:
    """A class behind `udf`; building it only keeps what the workers build it with."""

    def __init__(self, function: type, return_type: str | None) -> None:
        self._function = function
        self._return_type = return_type
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Callable[..., Expr]:
        call = PythonCall(
            self.__name__, self._function, self._return_type, constructor=(args, kwargs)
        )
        return call.of


class ColumnCall(NamedTuple):
    """One function of a stage: what it reads, each as (column, constant), and what it makes."""

    call: PythonCall
    target: str
    arguments: list[tuple[str | None, Any]]
    keywords: dict[str, tuple[str | None, Any]]


class ColumnFunctions:
    """What a worker runs: adds to each batch one column a function."""

    def __init__(self, calls: list[ColumnCall]) -> None:
        self._calls = calls
        self._functions = [_built(call.call) for call in calls]

    def __call__(self, table: Any) -> Any:
        """Return the batch with the columns, or yield it in pieces."""
        if self._calls[0].call.streams:
            return self._stream(table, self._calls[0])
        for call, function in zip(self._calls, self._functions, strict=True):
            operands = [_value(table, *operand) for operand in call.arguments]
            keywords = {name: _value(table, *value) for name, value in call.keywords.items()}
            column = _column(call.call, function(*operands, **keywords), table.num_rows)
            table = table.append_column(call.target, column)
        return table

    def _stream(self, table: Any, call: ColumnCall) -> Any:
        first = 0
        for piece in self._functions[0](_value(table, *call.arguments[0])):
            rows = table.slice(first, len(piece))
            first += len(piece)
            yield rows.append_column(call.target, piece)


def _operand(value: object) -> dict[str, Any]:
    """Return the tree of an expression; anything else, and a plain `lit`, stays what it is."""
    if not isinstance(value, Expr):
        return {"constant": value}
    if "literal" in value.tree and "type" not in value.tree:
        return {"constant": value.tree["literal"]}
    return value.tree


def _built(call: PythonCall) -> Callable[..., Any]:
    if call.constructor is None:
        return call.function
    args, kwargs = call.constructor
    function: Callable[..., Any] = call.function(*args, **kwargs)
    return function


def _value(table: Any, column: str | None, constant: Any) -> Any:
    if column is None:
        return constant
    if column not in table.column_names:
        raise KeyError(
            f"An expression reads column {column!r}, which does not exist; columns: "
            f"{', '.join(table.column_names)}"
        )
    values = table.column(column)
    return values.combine_chunks() if hasattr(values, "combine_chunks") else values


def _column(call: PythonCall, result: Any, rows: int) -> Any:
    array = _array(result)
    if len(array) != rows:
        raise ValueError(
            f"The function {call.name} must return one value a row; wanted: {rows}; "
            f"got: {len(array)}"
        )
    return array


def _array(result: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    if isinstance(result, pa.ChunkedArray):
        return result.combine_chunks()
    if isinstance(result, pa.Array):
        return result
    if isinstance(result, np.ndarray) and result.ndim > 1:
        return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(result))
    return pa.array(result)
