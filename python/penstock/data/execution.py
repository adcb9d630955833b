"""Runs a plan: a `Run` yields its blocks, shows progress, and stops when nobody listens."""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from penstock import session
from penstock._core import Block, Pipeline, WorkerLines, inherit_reception, reception_waits
from penstock.data import arguments
from penstock.data.stopping import SoftStop
from penstock.progress import Progress
from penstock.worker_output import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._core import LogicalPlan, Snapshot
    from penstock.data.context import DataContext
    from penstock.data.writing.file_names import NameGiver

# How long Ctrl-C may have to wait, and how often progress is looked at while nothing comes.
_POLL_S = 0.1
_UNLIMITED_BYTES = 1 << 62
# How long the interpreter's end waits for jobs that daemon threads run.
_EXIT_S = 2.0

_running: set[Run] = set()
os.register_at_fork(after_in_child=_running.clear)  # A fork has no part in them.


class Retry(NamedTuple):
    """The rows that one stage, by its index, has left out of the output in a folder."""

    folder: str
    stage: int


class Run:
    """One execution of a plan. `blocks()` is to be iterated once.

    `names` answers the engine where it asks how to name files. `retry`: run only the rows again
    that were left out of an output.
    """

    def __init__(
        self,
        plan: LogicalPlan,
        context: DataContext,
        names: NameGiver | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._plan = plan
        self._names = names
        self._retry = retry
        self._context = context
        self._pipeline: Pipeline | None = None
        self._last: Snapshot | None = None
        self._lines = WorkerLines()
        self._stop: SoftStop | None = None
        self._busy = False  # A thread is inside of the engine for it.

    @property
    def busy(self) -> bool:
        """Whether a thread is driving the job just now."""
        return self._busy

    def blocks(self) -> Iterator[Block]:
        """Start the job and yield its blocks; plans that write yield none.

        Leaving the loop early, an exception and Ctrl-C cancel the job: no process stays.

        Raises:
            Exception: the error that ended the job.

        """
        progress = Progress(enabled=self._context.enable_progress_bars)
        self._busy = True
        try:
            self._pipeline = start_pipeline(self._plan, self._context, self._lines, self._retry)
            _running.add(self)
            if self._stop is not None and self._stop.is_asked:  # Before there was a job to ask.
                self._end_soon()
            while True:
                block = self._next()
                if self._stop is not None and self._stop.is_late:
                    self.cancel()
                show(self._lines)
                progress.update(self._pipeline.snapshot)
                if self._names is not None:
                    self._names.answer()
                if isinstance(block, Block):
                    self._busy = False
                    yield block
                    self._busy = True
                elif block is False:
                    return
        except Exception as error:
            original = _original(error)
            if original is None or not self._context.raise_original_map_exception:
                raise
            raise original from original.__cause__
        finally:
            self._close(progress)
            self._busy = False
            _running.discard(self)

    def write(self) -> None:
        """Run a plan that writes to its end, or until a signal asks for it to end soon.

        Raises:
            Exception: the error that ended the job.
            KeyboardInterrupt, SystemExit: a signal did, see `SoftStop`.

        """
        deadline_s = self._context.drain_timeout_s
        with SoftStop(ask=self._end_soon, deadline_s=deadline_s) as self._stop:
            for _ in self.blocks():
                pass

    def _end_soon(self) -> None:
        if self._pipeline is not None:
            self._pipeline.drain()

    def cancel(self) -> None:
        """Stop the job at once. May be repeated, and called by any thread."""
        if self._pipeline is not None:
            self._pipeline.cancel()

    def snapshot(self) -> Snapshot | None:
        """Return where the job stands, or stood at its end; None before it has started."""
        return self._pipeline.snapshot() if self._pipeline is not None else self._last

    def _next(self) -> Block | bool | None:
        """Wait for the next block, while tasks and actors serve functions that call them."""
        # No variable here may hold the pipeline: an error's traceback would keep it alive.
        if self._pipeline is None:
            return False
        if reception_waits():  # A function wants a hub, and there is none yet.
            from penstock.core import connection

            connection.client()
        core = sys.modules.get("penstock.core.connection")
        if core is None:  # No task runs here.
            return self._pipeline.next(_POLL_S)
        with core.waiting():
            return self._pipeline.next(_POLL_S)

    def _close(self, progress: Progress) -> None:
        if self._names is not None:
            self._names.close()  # First: the engine must not wait for an answer that never comes.
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            self._last = pipeline.snapshot()
            pipeline.cancel()
            del pipeline  # Waits for the workers, which may have a last word.
        show(self._lines)
        progress.close(self._last)


def start_pipeline(
    plan: LogicalPlan,
    context: DataContext,
    lines: WorkerLines | None = None,
    retry: Retry | None = None,
) -> Pipeline:
    """Start `plan` within the limits of `context`, or else of `penstock.init`.

    `lines` gathers what the workers print; without it that is dropped.
    """
    from penstock.worker import current
    from penstock.worker.command import worker_command

    reception = current.reception()
    if reception is not None:  # This is a worker itself: its own reach the same hub.
        inherit_reception(reception)
    command = worker_command()
    options = context.execution_options
    block_bytes = context.target_max_block_size
    limits = resources(context)
    return Pipeline(
        plan,
        budget_bytes=limits.memory_bytes,
        processors=limits.processors,
        gpus=limits.gpus,
        resources=list(limits.others),
        no_progress_timeout_ms=_milliseconds(context.execution_no_progress_timeout_s),
        preserve_order=options.preserve_order,
        block_bytes=_UNLIMITED_BYTES if block_bytes is None else block_bytes,
        rows_per_chunk=_rows_per_chunk(context),
        commit_interval_ms=max(0, int(context.commit_interval_s * 1000)),
        worker_arguments=command.arguments,
        template_arguments=command.template_arguments,
        worker_environment=command.environment,
        worker_lines=lines,
        retry_folder=None if retry is None else retry.folder,
        retry_stage=0 if retry is None else retry.stage,
    )


def resources(context: DataContext) -> session.Resources:
    """Return the limits of `context`, and those of `penstock.init` where it sets none."""
    limits = context.execution_options.resource_limits
    defaults = session.resources()
    memory = [int(n) for n in (limits.object_store_memory, limits.memory) if n is not None]
    return session.Resources(
        memory_bytes=min(memory) if memory else defaults.memory_bytes,
        processors=defaults.processors if limits.cpu is None else max(1, int(limits.cpu)),
        gpus=defaults.gpus if limits.gpu is None else limits.gpu,
        others=defaults.others,
    )


def _rows_per_chunk(context: DataContext) -> int:
    """Return 0 for the engine's choice."""
    wanted = context.rows_per_chunk
    return 0 if wanted is None else arguments.at_least_one("rows_per_chunk", wanted)


def _milliseconds(timeout_s: float) -> int:
    """Return 0, which means never, for what is not positive."""
    return int(timeout_s * 1000) if timeout_s > 0 else 0


def _original(error: Exception) -> BaseException | None:
    """Return what a function of the user raised, or None where it was something else."""
    from penstock.exceptions import RayTaskError

    return error.cause if isinstance(error, RayTaskError) else None


def cancel_all() -> None:
    """Stop every job of this process."""
    for run in list(_running):
        run.cancel()


@atexit.register
def _stop_at_exit() -> None:
    """Bring daemon threads out of the engine: the interpreter's end must not find them there."""
    cancel_all()
    end_s = time.monotonic() + _EXIT_S
    while any(run.busy for run in list(_running)) and time.monotonic() < end_s:
        time.sleep(0.01)
