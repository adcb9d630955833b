"""Checks of what a caller passes, by Ray's rules. Nothing here runs or imports anything."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Concurrency = int | tuple[int, int] | tuple[int, int, int]
    BatchSize = int | Literal["auto"] | None
    UserFunction = Callable[..., Any]

_BATCH_FORMATS = {
    "default": "numpy",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    None: "pyarrow",
}
_NUMBER_MAX = 2**63 - 1
_COROUTINE = 0x80  # inspect.CO_COROUTINE; importing inspect would cost more than all of this.
_ASYNC_GENERATOR = 0x200  # inspect.CO_ASYNC_GENERATOR

# Ray's options of tasks and actors that this version knows of but cannot honour.
_REMOTE_OPTIONS = frozenset(
    {
        "accelerator_type",
        "fallback_strategy",
        "label_selector",
        "max_calls",
        "max_concurrency",
        "max_restarts",
        "max_retries",
        "max_task_retries",
        "memory",
        "num_returns",
        "object_store_memory",
        "placement_group",
        "ray_remote_args",
        "ray_remote_args_fn",
        "resources",
        "retry_exceptions",
        "runtime_env",
        "scheduling_strategy",
    }
)


def refuse(operation: str, options: Mapping[str, object]) -> None:
    """Raise NotImplementedError naming the first option that is set (not None, not False)."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise NotImplementedError(
                f"{operation} does not support this option yet; leave it out: {name}"
            )


def check_remote_options(operation: str, options: Mapping[str, object]) -> None:
    """Accept none of Ray's scheduling options unless they are None.

    Raises:
        NotImplementedError: an option of Ray's that this version cannot honour.
        TypeError: a name that Ray does not know either.

    """
    for name in options:
        if name not in _REMOTE_OPTIONS:
            raise TypeError(f"{operation} got an unexpected keyword argument: {name}")
    refuse(operation, options)


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
        NotImplementedError: an async function.

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
                    f"{function_name(function)} is not one; got: {value!r}"
                )
    if _is_async(function):
        raise NotImplementedError(
            f"{operation} does not run async functions yet: {function_name(function)}"
        )


def check_concurrency(function: object, concurrency: object) -> None:
    """Check Ray's rules for `concurrency=`.

    Raises:
        ValueError: neither an integer of at least 1 nor a tuple of two or three; or a tuple with
            a function that is not a class.

    """
    if isinstance(concurrency, tuple):
        if len(concurrency) not in (2, 3) or not all(isinstance(n, int) for n in concurrency):
            raise ValueError(
                "``concurrency`` is expected to be set as a tuple of two or three integers, "
                f"but got: {concurrency}"
            )
        if not isinstance(function, type):
            raise ValueError(  # noqa: TRY004 - as in Ray
                "``concurrency`` is set as a tuple of integers, but "
                f"{function_name(function)} is not a callable class; give one number: "
                f"{concurrency}"
            )
        return
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        raise ValueError(  # noqa: TRY004 - as in Ray
            "``concurrency`` is expected to be set as an integer or a tuple of integers, "
            f"but got: {concurrency!r}"
        )
    if concurrency < 1:
        raise ValueError(f"``concurrency`` must be at least 1; got: {concurrency}")


def batch_rows(batch_size: BatchSize, *, gpus: float | None) -> int | None:
    """Return the rows of a batch for the engine; None: whole blocks.

    Blocks are cut at about 16 MiB, which is what Ray's "auto" asks for.

    Raises:
        ValueError: below 1, or not given although GPUs are asked for.
        TypeError: not a whole number.

    """
    if batch_size is None or batch_size == "auto":
        if gpus:
            raise ValueError(
                "You must provide `batch_size` to `map_batches` when requesting GPUs, so that a "
                f"batch fits the GPU's memory; got: {batch_size}"
            )
        return None
    rows = whole_number("batch_size", batch_size)
    if rows < 1:
        raise ValueError(f"Batch size can't be negative or 0; got: {rows}")
    return rows


def batch_format_name(batch_format: str | None) -> str:
    """Return "numpy", "pandas" or "pyarrow"; None means the blocks' own format, Arrow.

    Raises:
        ValueError: any other format.

    """
    try:
        return _BATCH_FORMATS[batch_format]
    except (KeyError, TypeError):
        known = ", ".join(repr(name) for name in _BATCH_FORMATS)
        raise ValueError(
            f"The batch format must be one of {known}; got: {batch_format!r}"
        ) from None


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
    """Return an amount of processors or GPUs as given.

    Raises:
        ValueError: below 0.

    """
    if value is not None and value < 0:
        raise ValueError(f"{name} must not be negative; got: {value}")
    return value


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


def function_name(function: object) -> str:
    """Return the name that plans, statistics and errors show for a user's function."""
    inner = getattr(function, "func", None)  # functools.partial
    if callable(inner) and not hasattr(function, "__name__"):
        return function_name(inner)
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        return type(function).__name__
    if owner is not None and not isinstance(owner, type) and type(owner).__name__ != "module":
        return f"{type(owner).__name__}.{name}"
    return name


def _as_list(name: str, columns: object) -> list[object]:
    try:
        return list(columns)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise TypeError(f"{name} must be a list of column names; got: {columns!r}") from None


def _has_call(cls: type) -> bool:
    return any("__call__" in vars(base) for base in cls.__mro__)


def _is_async(function: object) -> bool:
    target = function
    if isinstance(function, type) or not hasattr(function, "__code__"):
        target = getattr(function, "__call__", None)  # noqa: B004 - the method itself is wanted
    code = getattr(target, "__code__", None)
    return code is not None and bool(code.co_flags & (_COROUTINE | _ASYNC_GENERATOR))
