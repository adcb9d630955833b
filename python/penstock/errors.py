"""Makes Python's exceptions out of the engine's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.worker.failure import Failure

_BY_KIND: dict[str, Callable[[str], BaseException]] = {
    "MissingPath": FileNotFoundError,
    "CorruptData": exceptions.CorruptDataError,
    "SchemaMismatch": exceptions.SchemaMismatchError,
    "BadReturn": ValueError,
    "WorkerDied": exceptions.WorkerCrashedError,
    "BudgetTooSmall": exceptions.BudgetTooSmallError,
    "NoProgress": exceptions.ExecutionTimeoutError,
    "Unplaceable": exceptions.UnplaceableError,
    "Cancelled": exceptions.TaskCancelledError,
    "AccessDenied": PermissionError,
    "Unreachable": ConnectionError,
    "RemoteFailure": OSError,
    "Drained": exceptions.JobDrainedError,
    "OutputTaken": exceptions.OutputTakenError,
    "JobChanged": exceptions.JobChangedError,
}

_BY_CODE: dict[str, Callable[[str], BaseException]] = {
    "Invalid": ValueError,
    "IOError": OSError,
    "KeyError": exceptions.MissingColumnError,
    "TypeError": TypeError,
    "IndexError": IndexError,
    "NotImplemented": NotImplementedError,
    "OutOfMemory": exceptions.OutOfMemoryError,
    "CapacityError": exceptions.OutOfMemoryError,
    "AlreadyExists": FileExistsError,
    "Cancelled": exceptions.TaskCancelledError,
}


def to_exception(code: str, kind: str, message: str, payload: bytes) -> BaseException:
    """Return the exception that tells of an engine's error; it is not raised here.

    `code` is Arrow's status code, `kind` the engine's own word for it or "", and `payload` what the
    worker packed of an exception in a user's function, or b"".
    """
    if payload:
        from penstock.worker.failure import unpack

        failure = unpack(payload)
        if failure is not None:
            return _task_error(failure, message)
    if kind == "UserFunction":
        cause = RuntimeError(message)
        return exceptions.RayTaskError("", message, cause).as_instanceof_cause()
    make = _BY_KIND.get(kind) or _BY_CODE.get(code) or exceptions.RaySystemError
    return make(message)


def _task_error(failure: Failure, message: str) -> BaseException:
    cause = failure.exception
    text = failure.text()
    where = failure.where()
    told = "\n".join(line for line in (where, message) if line and line not in text)
    text = f"{text.rstrip()}\n\n{told}" if told else text
    error = exceptions.RayTaskError(failure.function, text, cause)
    error.__cause__ = cause
    return error.as_instanceof_cause()
