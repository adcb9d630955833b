"""How often a batch is run again, by what ended it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.data import arguments

if TYPE_CHECKING:
    from penstock.data.context import DataContext
    from penstock.data.worker_arguments import WorkerArguments

# Errors of files and connections that come again however often one asks.
_LASTING = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
)


class Retries:
    """How often a batch is run again after each cause; a budget of one is no other's.

    A batch that has used one up ends the job, and the error says what was tried. Where rows may be
    left out (`on_error`), rows that end their worker are looked for instead, whatever `crash`,
    `timeout` and `out_of_memory` say; the others go before the search.

    After an exception a batch waits before it runs again: `wait_s` at first, then twice as long
    each time up to `wait_max_s`, of that between a half and the whole, so that batches which failed
    together do not come back together. -1 is no limit.

    Attributes:
        crash: after the batch's worker ended by itself or by a signal; None: `max_task_retries`.
        timeout: after it took longer than `batch_timeout_s`; None: `max_task_retries`.
        out_of_memory: after the kernel killed the worker for want of memory; None:
            `max_task_retries`.
        io: after an OSError (which connections, time-outs and `requests` raise), but for those that
            come again, such as FileNotFoundError and PermissionError.
        exceptions: {class: how often} for exceptions of these classes and of classes made from
            them; of several that fit, the nearest counts, `io` as one of OSError.
        wait_s: seconds before the first run after an exception.
        wait_max_s: seconds between two runs, at most.

    Raises:
        TypeError, ValueError: a value that makes no sense.

    """

    def __init__(
        self,
        *,
        crash: int | None = None,
        timeout: int | None = None,
        out_of_memory: int | None = None,
        io: int = 0,
        exceptions: Mapping[type[BaseException], int] | None = None,
        wait_s: float = 1.0,
        wait_max_s: float = 60.0,
    ) -> None:
        self.crash = _budget_or_none("crash", crash)
        self.timeout = _budget_or_none("timeout", timeout)
        self.out_of_memory = _budget_or_none("out_of_memory", out_of_memory)
        self.io = _budget("io", io)
        self.exceptions = _budgets_by_class({} if exceptions is None else exceptions)
        self.wait_s = _seconds("wait_s", wait_s)
        self.wait_max_s = _seconds("wait_max_s", wait_max_s)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Retries({shown})"


def retry_options(
    given: WorkerArguments, context: DataContext, *, stateful: bool, of_deaths: int
) -> dict[str, Any]:
    """Return the budgets by the names of the engine's options; nothing, where none was given.

    `of_deaths`: the `max_task_retries` of the call, or what stands for it.

    Raises:
        TypeError, ValueError: a value that makes no sense, or two names for one thing.

    """
    retries = given.get("retries")
    asked = given.get("retry_exceptions")
    if retries is not None and asked is not None:
        raise ValueError(
            "retry_exceptions is Ray's name for what retries says; give one of them: "
            "retries, retry_exceptions"
        )
    if retries is None and asked is None and stateful:
        asked = context.actor_task_retry_on_errors or None
    if asked is not None:
        classes = _classes(asked)
        retries = Retries(exceptions=dict.fromkeys(classes, of_deaths))
    if retries is None:
        return {}
    if not isinstance(retries, Retries):
        raise TypeError(f"retries must be a penstock.data.Retries; got: {retries!r}")
    return _for_engine(retries)


def _for_engine(retries: Retries) -> dict[str, Any]:
    rules = [_rule(kind.__name__, kind, number) for kind, number in retries.exceptions.items()]
    if retries.io != 0:
        rules.append(_rule("I/O", OSError, retries.io, but=_LASTING))
    deaths = {name: getattr(retries, name) for name in ("crash", "timeout", "out_of_memory")}
    return {
        **{name: number for name, number in deaths.items() if number is not None},
        "exceptions": rules,
        "wait_ms": math.ceil(retries.wait_s * 1000),
        "wait_max_ms": math.ceil(retries.wait_max_s * 1000),
    }


def _rule(
    name: str, kind: type[BaseException], number: int, *, but: Iterable[type[BaseException]] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "class": _full_name(kind),
        "but": [_full_name(one) for one in but],
        "retries": number,
    }


def _full_name(kind: type[BaseException]) -> str:
    """Return how workers name the class, see `penstock.worker.failure.pack`."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _classes(asked: object) -> list[type[BaseException]]:
    if asked is True:
        return [Exception]
    if asked is False:
        return []
    if not isinstance(asked, Iterable):
        raise TypeError(f"retry_exceptions must be True, False or exceptions; got: {asked!r}")
    classes = list(asked)
    for kind in classes:
        _check_class("retry_exceptions", kind)
    return classes


def _check_class(name: str, kind: object) -> None:
    if not isinstance(kind, type) or not issubclass(kind, BaseException):
        raise TypeError(f"{name} must hold classes of exceptions; got: {kind!r}")


def _budgets_by_class(budgets: object) -> dict[type[BaseException], int]:
    if not isinstance(budgets, Mapping):
        raise TypeError(f"exceptions must be {{class: number}}; got: {budgets!r}")
    for kind in budgets:
        _check_class("exceptions", kind)
    return {
        kind: _budget(f"exceptions[{kind.__name__}]", number) for kind, number in budgets.items()
    }


def _budget_or_none(name: str, value: int | None) -> int | None:
    return None if value is None else _budget(name, value)


def _budget(name: str, value: object) -> int:
    number = arguments.whole_number(name, value)
    if number < -1:
        raise ValueError(f"{name} must be at least 0, or -1 for no limit; got: {number}")
    return number


def _seconds(name: str, value: float) -> float:
    seconds = arguments.amount(name, value)
    if seconds is None:
        raise TypeError(f"{name} must be a number of seconds; got: None")
    return seconds
