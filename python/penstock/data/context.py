"""Settings of data sets: `DataContext` and the execution options in it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK_BYTES = 16 << 20
# Ray's default; the engine knows these and more by itself (src/penstock/files/failure.h).
RETRIED_ANYWAY = (
    "AWS Error INTERNAL_FAILURE",
    "AWS Error NETWORK_CONNECTION",
    "AWS Error SLOW_DOWN",
    "AWS Error UNKNOWN (HTTP status 503)",
    "AWS Error SERVICE_UNAVAILABLE",
)


class ExecutionResources:
    """Limits of one job; None: what `penstock.init` set, or else the machine has.

    `object_store_memory` and `memory` are bytes of data that the job may hold at once; where both
    are set the smaller one counts.
    """

    def __init__(
        self,
        cpu: float | None = None,
        gpu: float | None = None,
        object_store_memory: float | None = None,
        memory: float | None = None,
    ) -> None:
        self.cpu = cpu
        self.gpu = gpu
        self.object_store_memory = object_store_memory
        self.memory = memory

    def copy(self, **changes: float | None) -> ExecutionResources:
        """Return these limits with `changes` (names as in the constructor)."""
        return ExecutionResources(**{**vars(self), **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExecutionResources) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"ExecutionResources({_fields(self)})"


class ExecutionOptions:
    """How jobs run. `preserve_order` (True here): rows come out in the order of the input."""

    def __init__(
        self,
        resource_limits: ExecutionResources | None = None,
        preserve_order: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
        verbose_progress: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
    ) -> None:
        self.resource_limits = resource_limits or ExecutionResources()
        self.preserve_order = preserve_order
        self.verbose_progress = verbose_progress

    def copy(self) -> ExecutionOptions:
        """Return a copy that shares nothing with this one."""
        copied = ExecutionOptions()
        vars(copied).update(vars(self))
        copied.resource_limits = self.resource_limits.copy()
        return copied

    def __repr__(self) -> str:
        return f"ExecutionOptions({_fields(self)})"


class DataContext:
    """Settings that a data set copies when it is made; later changes do not reach it.

    Fields that this version acts on:
        execution_options: see `ExecutionOptions`.
        target_max_block_size: bytes at which readers cut blocks; None: no limit.
        max_tasks_in_flight_per_actor: batches on their way to one worker; None: 2.
        actor_init_retry_on_errors: True builds a class again whose constructor raised.
        actor_init_max_retries: how often it does (3); then the job fails.
        actor_task_retry_on_errors: exceptions that classes may raise, after which the batch is run
            again as often as `max_task_retries` says; True: all. Where a call has neither `retries`
            nor `retry_exceptions`.
        enable_progress_bars: False shows no progress at all.
        raise_original_map_exception: True raises what the function raised, unwrapped.
        execution_no_progress_timeout_s: a job in which nothing has happened for so long (1800)
            fails with what it waits for; -1: never. It warns after a minute.
        rows_per_chunk: rows of the input that are committed together, and done again where a job
            is cut off before that. Pieces of the input, such as files, are joined up to so many,
            as far as their rows are known; larger ones are not cut. None: the engine's choice.
        commit_interval_s: from one commit of finished chunks to the next, at least (0.5): each
            waits for the disk.
        drain_timeout_s: a job that writes and is asked to end, by SIGTERM or Ctrl-C, has so long
            (20) to finish and commit what it has begun, see `penstock.data.stopping`.
        max_errored_blocks: batches with rows for which a function fails that may be, before the job
            does (0); -1: no limit. The rows alone are left out and become dead letters, as with
            `on_error="dead_letter"`, where a call does not say `on_error`.
        retried_io_errors: texts; an error of a remote file system that contains one of them is
            tried again, beside those that are known to pass.

    Every other field of Ray's DataContext may be set; it has no effect.
    """

    _current: DataContext | None = None

    def __init__(self) -> None:
        self.execution_options = ExecutionOptions()
        self.target_max_block_size: int | None = _BLOCK_BYTES
        self.max_tasks_in_flight_per_actor: int | None = None
        self.actor_init_retry_on_errors = False
        self.actor_init_max_retries = 3
        self.actor_task_retry_on_errors: bool | list[type[BaseException]] = False
        self.enable_progress_bars = True
        self.raise_original_map_exception = False
        self.retried_io_errors = list(RETRIED_ANYWAY)
        self.execution_no_progress_timeout_s: float = 1800
        self.drain_timeout_s: float = 20
        self.max_errored_blocks = 0
        self.rows_per_chunk: int | None = None
        self.commit_interval_s: float = 0.5
        self._config: dict[str, Any] = {}

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    @staticmethod
    def get_current() -> DataContext:
        """Return the context of this process, the one that new data sets copy."""
        if DataContext._current is None:
            DataContext._current = DataContext()
        return DataContext._current

    @staticmethod
    @contextlib.contextmanager
    def current(context: DataContext) -> Iterator[DataContext]:
        """Make `context` the current one for the length of a `with` block."""
        before = DataContext.get_current()
        DataContext._current = context
        try:
            yield context
        finally:
            DataContext._current = before

    def get_config(self, key: str, default: Any = None) -> Any:
        """Return the free-form setting `key`, or `default`."""
        return self._config.get(key, default)

    def set_config(self, key: str, value: Any) -> None:
        """Set the free-form setting `key`."""
        self._config[key] = value

    def remove_config(self, key: str) -> None:
        """Forget the free-form setting `key`, if it is set."""
        self._config.pop(key, None)

    def copy(self) -> DataContext:
        """Return a copy whose options can be changed without touching these."""
        copied = DataContext()
        vars(copied).update(vars(self))
        copied.execution_options = self.execution_options.copy()
        copied.retried_io_errors = list(self.retried_io_errors)
        copied._config = dict(self._config)
        return copied

    def __repr__(self) -> str:
        return f"DataContext({_fields(self)})"


DatasetContext = DataContext


def _fields(instance: object) -> str:
    shown = {name: value for name, value in vars(instance).items() if not name.startswith("_")}
    return ", ".join(f"{name}={value!r}" for name, value in shown.items())
