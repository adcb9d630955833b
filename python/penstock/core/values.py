"""Turns what the hub answers into values and exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock import exceptions
from penstock.core import connection, serialization

if TYPE_CHECKING:
    from penstock._worker import Value
    from penstock.core.references import ObjectRef

# By the numbers of `SystemError` in runtime/wire.h.
_SYSTEM_ERRORS: dict[int, type[exceptions.RayError]] = {
    1: exceptions.WorkerCrashedError,
    2: exceptions.ActorDiedError,
    3: exceptions.ActorUnavailableError,
    4: exceptions.TaskCancelledError,
    5: exceptions.ObjectLostError,
    6: exceptions.OutOfMemoryError,
    7: exceptions.ObjectStoreFullError,
    8: exceptions.UnplaceableError,
    9: exceptions.PendingCallsLimitExceeded,
    10: exceptions.RuntimeEnvSetupError,
    11: exceptions.DeadlockError,
    12: exceptions.TaskPlacementGroupRemoved,
}
_IS_ERROR, _IS_SYSTEM_ERROR, _IS_CONSTRUCTOR_ERROR, _IS_ITEM, _IS_END = 1, 2, 4, 8, 16


def object_of(value: Value) -> Any:
    """Return the object whose bytes these are.

    Raises:
        RayError: the value tells of an error, of the user's (then also its own class) or of ours.

    """
    if value.flags & (_IS_ERROR | _IS_SYSTEM_ERROR):
        raise error_of(value)
    return serialization.loads(value)


def is_error(value: Value) -> bool:
    """Return whether the value tells of an error."""
    return bool(value.flags & (_IS_ERROR | _IS_SYSTEM_ERROR))


def error_of(value: Value) -> BaseException:
    """Return the exception that a value tells of."""
    if value.flags & _IS_SYSTEM_ERROR:
        kind = _SYSTEM_ERRORS.get(value.code, exceptions.RaySystemError)
        return kind(value.text)
    from penstock.errors import to_exception

    error = to_exception("UnknownError", "", "", bytes(value.pickled))
    if value.flags & _IS_CONSTRUCTOR_ERROR:
        died = exceptions.ActorDiedError(
            f"The actor died because its constructor raised:\n\n{error}"
        )
        died.__cause__ = error.__cause__
        return died
    return error


def next_item(generator: int, timeout_s: float | None) -> ObjectRef[Any] | None:
    """Wait for a generator's next item; None at its end.

    Raises:
        GetTimeoutError: none came in time.
        DeadlockError: without a timeout, inside a task: its items wait for the task that waits.
        RayError: the generator is gone.

    """
    from penstock.core.references import ObjectRef
    from penstock.worker import current

    task = current.waiting_task(timeout_s)
    value = connection.client().next_item(generator, timeout_s, task)
    if value is None:
        raise exceptions.GetTimeoutError(f"No item came within {timeout_s} s")
    if value.flags & _IS_END:
        return None
    if value.flags & _IS_ITEM:
        return ObjectRef(value.item, owned=True)
    raise error_of(value)
