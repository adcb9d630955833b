"""`get`, `put` and `wait`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from penstock import exceptions
from penstock.core import checks, serialization
from penstock.core.connection import client
from penstock.core.references import ObjectRef, ObjectRefGenerator, number_of
from penstock.core.values import error_of, is_error, object_of
from penstock.worker import current

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


@overload
def get(refs: ObjectRef[T], *, timeout: float | None = None) -> T: ...


@overload
def get(refs: Sequence[ObjectRef[T]], *, timeout: float | None = None) -> list[T]: ...


def get(refs: Any, *, timeout: float | None = None) -> Any:
    """Return the value of a reference, or the values of a list of them, in their order.

    Waits until they are there. NumPy arrays, Arrow data and torch tensors are views of shared
    memory, which one cannot write to. Inside a task its processors serve others meanwhile.

    Args:
        refs: a reference, or a list of them.
        timeout: seconds to wait at most; None: for ever.

    Raises:
        GetTimeoutError: they were not there in time (it is a `TimeoutError` too).
        RayTaskError: a task has raised; also of the class that it raised.
        DeadlockError: without a timeout, inside a task: what it would wait for waits for it.
        RayError: what else has become of a task, an actor or an object.
        ValueError, TypeError: `refs` are no references, or `timeout` is negative or no number.

    """
    if isinstance(refs, ObjectRef):
        return _values([refs], timeout)[0]
    if isinstance(refs, ObjectRefGenerator):
        return _values([refs.completed()], timeout)[0]
    if not isinstance(refs, list | tuple):
        raise ValueError(  # noqa: TRY004  # As in Ray.
            f"get takes an ObjectRef or a list of them; got: {type(refs).__name__}"
        )
    _refuse_others("get", refs)
    return _values(refs, timeout)


def put(value: T) -> ObjectRef[T]:
    """Keep a value in shared memory and return a reference to it.

    It is written once, however many tasks read it: put a model once and pass the reference.

    Raises:
        TypeError: the value is a reference itself, or cannot be pickled.
        ObjectStoreFullError: there is neither memory nor disk for it; comes with `get`.

    """
    if isinstance(value, ObjectRef):
        raise TypeError("put takes a value, not an ObjectRef; pass the reference on as it is")
    connected = client()
    return ObjectRef(connected.put(serialization.dumps(connected, value)), owned=True)


def wait(
    refs: Sequence[ObjectRef[T]],
    *,
    num_returns: int = 1,
    timeout: float | None = None,
    fetch_local: bool = True,
) -> tuple[list[ObjectRef[T]], list[ObjectRef[T]]]:
    """Wait until `num_returns` of the references are ready, and return those and the others.

    Errors count as ready; `get` raises them. Both lists keep the order of `refs`.

    Args:
        refs: references, each once.
        num_returns: how many to wait for; no more are returned as ready.
        timeout: seconds to wait at most; then fewer may be ready. None: for ever.
        fetch_local: nothing depends on it: all objects are on this machine.

    Raises:
        TypeError: `refs` is no list of references, or `num_returns` or `timeout` no number.
        ValueError: a reference comes twice, `num_returns` fits not the number of references, or
            `timeout` is negative.
        DeadlockError: without a timeout, inside a task: so many can never be ready, as they wait
            for the task that waits.

    """
    del fetch_local
    if isinstance(refs, ObjectRef) or not isinstance(refs, list | tuple):
        raise TypeError(f"wait takes a list of ObjectRef; got: {type(refs).__name__}")
    _refuse_others("wait", refs, TypeError)
    numbers = [number_of(_plain(reference)) for reference in refs]
    if len(set(numbers)) != len(numbers):
        raise ValueError("wait takes each reference once; some come twice")
    checks.at_least_one("num_returns", num_returns)
    if num_returns > len(refs):
        raise ValueError(
            f"num_returns must be between 1 and the number of references; "
            f"got: {num_returns} of {len(refs)}"
        )
    checks.timeout(timeout)
    places, refused = client().wait(numbers, num_returns, timeout, current.waiting_task(timeout))
    if refused is not None:
        raise error_of(refused)
    found = set(sorted(places)[:num_returns])
    ready = [reference for place, reference in enumerate(refs) if place in found]
    others = [reference for place, reference in enumerate(refs) if place not in found]
    return ready, others


def _values(refs: Sequence[ObjectRef[Any]], timeout: float | None) -> list[Any]:
    checks.timeout(timeout)
    numbers = [number_of(_plain(reference)) for reference in refs]
    values = client().get(numbers, timeout, current.waiting_task(timeout))
    if values is None:
        raise exceptions.GetTimeoutError(f"Not all of {len(refs)} objects came within {timeout} s")
    for value in values:
        if value is not None and is_error(value):
            raise error_of(value)
    return [object_of(value) for value in values if value is not None]


def _plain(reference: ObjectRef[Any] | ObjectRefGenerator) -> ObjectRef[Any]:
    return reference.completed() if isinstance(reference, ObjectRefGenerator) else reference


def _refuse_others(verb: str, refs: Sequence[Any], kind: type[Exception] = ValueError) -> None:
    for place, reference in enumerate(refs):
        if not isinstance(reference, ObjectRef | ObjectRefGenerator):
            raise kind(
                f"{verb} takes references alone; the item {place} is of type "
                f"{type(reference).__name__}"
            )
