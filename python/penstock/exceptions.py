"""What Penstock raises: Ray's exception classes by their names, and a few of its own.

Each of its own is also the built-in exception that fits, so that `except ValueError` and the like
catch it.
"""

from __future__ import annotations

import types


class RayError(Exception):
    """The base of all the others."""


class UserCodeException(RayError):  # noqa: N818  # Ray's name.
    """A function of the user failed."""


class RayTaskError(RayError):
    """A function of the user raised, in a worker process.

    `cause` is what it raised; `str` begins with the user's own traceback.
    """

    cause: BaseException
    function_name: str
    traceback_str: str

    def __init__(self, function_name: str, traceback_str: str, cause: BaseException) -> None:
        _fill(self, function_name, traceback_str, cause)

    def __str__(self) -> str:
        return self.traceback_str

    def as_instanceof_cause(self) -> RayTaskError:
        """Return this error as one that is also an instance of the cause's class.

        Of a task's that waited for another one's: of the class that the innermost raised.
        Causes that no `except Exception` would catch, and classes that cannot be derived from,
        leave it as it is.
        """
        raised = self.cause
        while isinstance(raised, RayTaskError):  # By a task that a task waited for.
            raised = raised.cause
        kind = _dual_class(type(raised))
        if kind is None:
            return self
        error = _blank(kind, raised)
        if error is None:
            return self
        _copy_state(raised, error)
        try:
            _fill(error, self.function_name, self.traceback_str, self.cause)
        except AttributeError:  # The user's class has a property of one of these names.
            return self
        error.__cause__ = self.__cause__
        return error


class WorkerCrashedError(RayError):
    """A worker process ended while it held work."""


class RayActorError(RayError):
    """An actor is gone or does not answer."""


class ActorDiedError(RayActorError):
    """An actor's process ended, or its constructor failed."""


class ActorUnavailableError(RayActorError):
    """An actor does not answer for now."""


class PendingCallsLimitExceeded(RayError):  # noqa: N818  # Ray's name.
    """More calls of an actor wait than its `max_pending_calls` allows."""


class TaskCancelledError(RayError):
    """The work was stopped before it ended."""


class TaskPlacementGroupRemoved(RayError):  # noqa: N818  # Ray's name.
    """The placement group that a task was to run in was removed."""


class DeadlockError(RayError):
    """Tasks wait for each other, so that none of them could ever end."""


class GetTimeoutError(RayError, TimeoutError):
    """A result did not come in time."""


class OutOfMemoryError(RayError, MemoryError):
    """The machine has too little memory."""


class BudgetTooSmallError(OutOfMemoryError):
    """One batch alone does not fit the memory that the job may use."""


class ObjectStoreFullError(RayError):
    """There is no room left for objects."""


class RaySystemError(RayError):
    """Something in Penstock itself went wrong."""


class RuntimeEndedError(RaySystemError, ConnectionError):
    """The runtime that ran the tasks has ended, as by `shutdown`."""


class NodeDiedError(RayError):
    """A machine is gone."""


class ObjectLostError(RayError):
    """An object is gone with the machine or process that held it."""


class OwnerDiedError(ObjectLostError):
    """An object is gone with the process that owned it."""


class RuntimeEnvSetupError(RayError):
    """A worker's environment could not be set up."""


class CorruptDataError(RayError, OSError):
    """A file's bytes are not what its format demands."""


class SchemaMismatchError(RayError, ValueError):
    """Data that must share one schema does not."""


class ExecutionTimeoutError(RayError, TimeoutError):
    """Nothing has happened in a job for longer than `execution_no_progress_timeout_s`."""


class JobChangedError(RayError, ValueError):
    """The output was written by another job: its input, its functions or its options differ."""


class JobDrainedError(TaskCancelledError):
    """The job was asked to end before its end; run again, it goes on from what it has committed."""


class OutputTakenError(RayError, RuntimeError):
    """Another run of a job writes the same output."""


class UnplaceableError(RayError, ValueError):
    """A stage asks for resources that this machine does not have."""


class MissingColumnError(RayError, KeyError):
    """A column is not there."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


_dual_classes: dict[type[BaseException], type[RayTaskError] | None] = {}


def _fill(
    error: RayTaskError, function_name: str, traceback_str: str, cause: BaseException
) -> None:
    error.function_name = function_name
    error.traceback_str = traceback_str
    error.cause = cause


def _dual_class(cause: type[BaseException]) -> type[RayTaskError] | None:
    if cause not in _dual_classes:
        _dual_classes[cause] = _make_dual_class(cause)
    return _dual_classes[cause]


def _blank(kind: type[RayTaskError], cause: BaseException) -> RayTaskError | None:
    """Return an instance whose `__init__` has not run; None where the class allows none.

    MemoryError has a `__new__` for itself alone, exception groups one that wants arguments.
    """
    for new, args in ((kind.__new__, ()), (BaseException.__new__, ()), (kind.__new__, cause.args)):
        try:
            error: RayTaskError = new(kind, *args)
        except Exception:  # noqa: BLE001, S112  # Whatever a user's __new__ raises.
            continue
        return error
    return None


def _make_dual_class(cause: type[BaseException]) -> type[RayTaskError] | None:
    # A StopIteration would end the generator that hands it on.
    if not issubclass(cause, Exception) or issubclass(cause, StopIteration | StopAsyncIteration):
        return None
    members = {
        "__module__": __name__,
        "__init__": RayTaskError.__init__,
        "__str__": RayTaskError.__str__,
        "__repr__": _repr,
        "__reduce__": _reduce,
    }
    bases = (RayTaskError, UserCodeException, cause)
    try:
        return type(f"RayTaskError({cause.__name__})", bases, members)
    except TypeError:  # A class that cannot be derived from, or not together with others.
        return None


def _repr(error: RayTaskError) -> str:
    return f"{type(error).__name__}({error.cause!r})"


def _reduce(error: RayTaskError) -> tuple[object, ...]:
    return _rebuild, (error.function_name, error.traceback_str, error.cause)


def _rebuild(function_name: str, traceback_str: str, cause: BaseException) -> RayTaskError:
    error = RayTaskError(function_name, traceback_str, cause)
    error.__cause__ = cause
    return error.as_instanceof_cause()


_Slot = types.MemberDescriptorType | types.GetSetDescriptorType


def _copy_state(cause: BaseException, error: BaseException) -> None:
    """Copy what the cause carries: its arguments, attributes, and the slots of its classes."""
    error.args = cause.args
    for base in type(cause).__mro__:
        if base in (BaseException, object):
            continue
        for name, slot in vars(base).items():
            if isinstance(slot, _Slot) and not name.startswith("__"):
                _copy_attribute(cause, error, name)
    for name in vars(cause):
        if name not in ("cause", "function_name", "traceback_str"):
            _copy_attribute(cause, error, name)


def _copy_attribute(cause: BaseException, error: BaseException, name: str) -> None:
    try:
        setattr(error, name, getattr(cause, name))
    except (AttributeError, TypeError):
        return  # Not set there, or not to be set here.
