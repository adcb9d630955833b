"""Checks of what a caller passes, by Ray's rules. Nothing here runs or imports anything."""

from __future__ import annotations

import math
import operator
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, SupportsIndex

from penstock.data.optional import require
from penstock.worker.callables import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    Concurrency = int | tuple[int, int] | tuple[int, int, int]
    BatchSize = int | Literal["auto"] | None
    UserFunction = Callable[..., Any]

_BATCH_FORMATS = {
    "default": "numpy",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "torch": "torch",
    "arrow_c": "arrow_c",
    None: "pyarrow",
}
_NUMBER_MAX = 2**63 - 1


def refuse(operation: str, options: Mapping[str, object]) -> None:
    """Raise NotImplementedError naming the first option that is set (not None, not False)."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise NotImplementedError(
                f"{operation} does not support this option yet; leave it out: {name}"
            )


def refuse_others(operation: str, options: Mapping[str, object], known: Collection[str]) -> None:
    """Refuse what is left of a verb's arguments; `known` are names that Ray has.

    Raises:
        NotImplementedError: an option of Ray's is set.
        TypeError: a name that nobody knows.

    """
    for name in options:
        if name not in known:
            raise unknown(operation, name, [*_parameters(operation), *known])
    refuse(operation, options)


def unknown(operation: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the error for a name that nobody knows; it names the nearest that is known."""
    import difflib  # Slow to load, and seldom wanted.

    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return TypeError(f"{operation} got an unexpected keyword argument: {name}{hint}")


def _parameters(operation: str) -> list[str]:
    """Return the names that a reader or a data set's verb takes."""
    from penstock import data
    from penstock.data.reading.engine_options import EngineReadOptions

    verb = getattr(data, operation, None) or getattr(data.Dataset, operation, None)
    if verb is None:
        return []
    import inspect

    names = list(inspect.signature(verb).parameters)
    return [*names, *EngineReadOptions.__annotations__] if operation.startswith("read_") else names


def check_function(
    operation: str,
    function: object,
    *,
    constructor_args: Iterable[object] | None,
    constructor_kwargs: Mapping[str, object] | None,
) -> None:
    """Check that `function` can be called, and has constructor arguments only if it is a class.

    Raises:
        TypeError: not callable, or a class whose instances are not.
        ValueError: constructor arguments with a plain function.

    """
    if not callable(function):
        raise TypeError(f"{operation} needs a function or a callable class; got: {function!r}")
    if isinstance(function, type):
        if not _has_call(function):
            raise TypeError(
                f"{operation} needs a class with a __call__ method; got: {function.__name__}"
            )
    else:
        given = {
            "fn_constructor_args": constructor_args,
            "fn_constructor_kwargs": constructor_kwargs,
        }
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"``{name}`` can only be specified if ``fn`` is a callable class; "
                    f"{name_of(function)} is not one; got: {value!r}"
                )


def check_concurrency(function: object, concurrency: Any) -> None:
    """Check Ray's rules for `concurrency=`.

    Raises:
        ValueError: neither an integer of at least 1 nor a tuple of two or three; or a tuple with
            a function that is not a class.

    """
    if isinstance(concurrency, tuple):
        if len(concurrency) not in (2, 3) or not all(map(is_whole_number, concurrency)):
            raise ValueError(
                "``concurrency`` is expected to be set as a tuple of two or three integers, "
                f"but got: {concurrency}"
            )
        if not isinstance(function, type):
            raise ValueError(  # noqa: TRY004 - as in Ray
                "``concurrency`` is set as a tuple of integers, but "
                f"{name_of(function)} is not a callable class; give one number: "
                f"{concurrency}"
            )
        return
    if not is_whole_number(concurrency):
        raise ValueError(
            "``concurrency`` is expected to be set as an integer or a tuple of integers, "
            f"but got: {concurrency!r}"
        )
    if concurrency < 1:
        raise ValueError(f"``concurrency`` must be at least 1; got: {concurrency}")


def batch_rows(batch_size: BatchSize) -> int | None:
    """Return the rows of a batch for the engine; None where no number was given.

    Raises:
        ValueError: below 1.
        TypeError: not a whole number.

    """
    if batch_size is None or batch_size == "auto":
        return None
    rows = whole_number("batch_size", batch_size)
    if rows < 1:
        raise ValueError(f"Batch size can't be negative or 0; got: {rows}")
    return rows


def batch_format_name(batch_format: str | None) -> str:
    """Return the format by its first name; None means the blocks' own, Arrow.

    Raises:
        ImportError: the library for it is not installed.
        ValueError: any other format.

    """
    if not isinstance(batch_format, str | None) or batch_format not in _BATCH_FORMATS:
        known = ", ".join(repr(name) for name in _BATCH_FORMATS)
        raise ValueError(f"The batch format must be one of {known}; got: {batch_format!r}")
    if batch_format in ("pandas", "torch"):
        require(batch_format, extra=batch_format, needed_by=f"batch_format={batch_format!r}")
    return _BATCH_FORMATS[batch_format]


def is_whole_number(value: object) -> bool:
    """Say whether it is an integer, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def whole_number(name: str, value: object) -> int:
    """Return `value` as an int; NumPy's integers are welcome, floats are not.

    Raises:
        TypeError: not a whole number.
        ValueError: more than 64 bits hold.

    """
    if isinstance(value, SupportsIndex) and not isinstance(value, bool):
        number = operator.index(value)
        if abs(number) > _NUMBER_MAX:
            raise ValueError(f"{name} must fit 64 bits; got: {number}")
        return number
    raise TypeError(f"{name} must be a whole number; got: {value!r}")


def not_negative(name: str, value: object) -> int:
    """Return `value` as an int of at least 0.

    Raises:
        TypeError: not a whole number.
        ValueError: below 0.

    """
    number = whole_number(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative; got: {number}")
    return number


def at_least_one(name: str, value: object) -> int:
    """Return `value` as an int of at least 1.

    Raises:
        TypeError: not a whole number.
        ValueError: below 1.

    """
    number = whole_number(name, value)
    if number < 1:
        raise ValueError(f"{name} must be at least 1; got: {number}")
    return number


def amount(name: str, value: float | None) -> float | None:
    """Return an amount of something as given.

    Raises:
        TypeError: not a number.
        ValueError: below 0, or not finite.

    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        raise TypeError(f"{name} must be a number; got: {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number; got: {value}")
    if number < 0:
        raise ValueError(f"{name} must not be negative; got: {value}")
    return number


def column_list(name: str, columns: object) -> list[str]:
    """Return column names as a list; one string is a list of one.

    Raises:
        TypeError: not strings.
        ValueError: a name stands there twice, or holds a lone surrogate.

    """
    names: list[object] = [columns] if isinstance(columns, str) else _as_list(name, columns)
    checked: list[str] = []
    for column in names:
        if not isinstance(column, str):
            raise TypeError(f"{name} must be column names (str); got: {column!r}")
        check_column_name(column)
        if column in checked:
            raise ValueError(f"{name} must name each column once; twice: {column!r}")
        checked.append(column)
    return checked


def check_column_name(name: str) -> None:
    """Accept text that UTF-8 can hold.

    Raises:
        ValueError: it holds a lone surrogate.

    """
    if not is_utf8(name):
        raise ValueError(
            "A column's name must be text that UTF-8 can hold, without lone surrogates; rename "
            f"the column; got: {name!r}"
        )


def is_utf8(text: str) -> bool:
    """Say whether UTF-8 can hold the text: whether it has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_list(name: str, columns: object) -> list[object]:
    try:
        return list(columns)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise TypeError(f"{name} must be a list of column names; got: {columns!r}") from None


def _has_call(cls: type) -> bool:
    return any("__call__" in vars(base) for base in cls.__mro__)
