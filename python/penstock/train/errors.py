"""How a training that failed tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock.exceptions import RayError, RayTaskError

if TYPE_CHECKING:
    from collections.abc import Sequence


class TrainingFailedError(RayError):
    """A training failed, and was not to start again.

    What a training loop raised makes an error that is also of its class, whose text begins with the
    user's own traceback. `worker_failures`: each worker that failed by its rank, and with what.
    """

    worker_failures: dict[int, BaseException]

    def __init__(
        self, message: str = "", worker_failures: dict[int, BaseException] | None = None
    ) -> None:
        super().__init__(message)
        self.worker_failures = worker_failures or {}


class WorkerFailure(NamedTuple):
    """What ended one worker's part of a training."""

    rank: int
    error: BaseException
    died: bool  # Its process is gone; else its loop raised.
    failed_at_s: float  # By the machine's monotonic clock.

    def line(self, workers: int) -> str:
        """Say in one line which worker this was, and what happened."""
        if self.died:
            return f"Worker {self.rank} of {workers} died: {self.error}"
        return f"Worker {self.rank} of {workers} raised this."


def first_of(failures: Sequence[WorkerFailure]) -> WorkerFailure:
    """Return the failure that came before the others, which it may have caused.

    A death does: what others raise when it cuts their connections may reach the driver sooner.
    """
    return min(failures, key=lambda failure: (not failure.died, failure.failed_at_s))


def training_failed(
    failures: Sequence[WorkerFailure], workers: int, restarts: int
) -> TrainingFailedError:
    """Return the error of a training that these failures ended."""
    first = first_of(failures)
    lines = [first.line(workers)]
    if restarts:
        lines.append(f"The training had started again {restarts} times (max_failures).")
    by_rank = {failure.rank: failure.error for failure in failures}
    if not isinstance(first.error, RayTaskError):
        error = TrainingFailedError(" ".join(lines), by_rank)
        error.__cause__ = first.error
        return error
    text = f"{str(first.error).rstrip()}\n\n{' '.join(lines)}"
    return _of_task(first.error.function_name, text, first.error.cause, by_rank)


def _of_task(
    function_name: str, text: str, cause: BaseException, failures: dict[int, BaseException]
) -> TrainingFailedError:
    task_error = RayTaskError(function_name, text, cause)
    task_error.__cause__ = cause
    error = task_error.as_instanceof_cause()
    kind = type(error)
    members = {"__module__": __name__, "__reduce__": _reduce}
    name = f"TrainingFailedError({type(cause).__name__})"
    error.__class__ = type(name, (kind, TrainingFailedError), members)
    error.worker_failures = failures  # type: ignore[attr-defined]
    return error  # type: ignore[return-value]


def _reduce(error: TrainingFailedError) -> tuple[object, ...]:
    told = (error.function_name, error.traceback_str, error.cause)  # type: ignore[attr-defined]
    return _of_task, (*told, error.worker_failures)
