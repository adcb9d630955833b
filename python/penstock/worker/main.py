"""The life of a worker process: set up, answer batches in order, end."""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from penstock import _worker
from penstock.worker import current, failure, forked, imports
from penstock.worker.descriptors import is_socket, out_of_reach
from penstock.worker.device_errors import end_if_sticky

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.worker.functions import Stage

_IS_TEMPLATE = "--template"
_TASKS_MAGIC = b"PENTASKS"  # With which the setup of a worker begins that runs tasks.
_MEMORY_KILL_SCORE = 500  # Of -1000 to 1000: the higher, the sooner.


def main() -> None:
    """Serve the engine at the other end of this process's socket; never returns."""
    _settle()
    _stand_in_for_ray()
    if _IS_TEMPLATE in sys.argv:
        sys.argv = [""]
        from penstock.worker import template

        template.serve(_work)
    else:
        sys.argv = [""]
        if is_socket(_worker.THREADS_SOCKET):
            from penstock.worker import threads

            threads.serve(_begin, _answer)
        else:
            _work(None, imports.teach())
    _leave()


def _work(built: Stage | None, lesson: imports.Lesson | None = None) -> None:
    """Build the functions, unless they are, which ends the lesson, and answer batches.

    Or run tasks, where the setup says so.
    """
    channel = _worker.Channel(out_of_reach(_worker.WORKER_SOCKET))
    end_lesson = lesson.end if lesson is not None else _do_nothing
    setup = channel.receive_setup()
    if setup is not None and setup.startswith(_TASKS_MAGIC):
        from penstock.worker import tasks

        tasks.serve(channel, setup, end_lesson)
        return
    stage = _build_from(channel, setup, built)
    end_lesson()
    if stage is not None:
        _answer(channel, stage)


def _begin(channel: _worker.Channel, built: Stage | None) -> Stage | None:
    """Take the setup; build what it says, unless that is done. None where there is no work."""
    return _build_from(channel, channel.receive_setup(), built)


def _build_from(channel: _worker.Channel, setup: bytes | None, built: Stage | None) -> Stage | None:
    if setup is None or built is not None:
        return built if setup is not None else None
    return _build(channel, setup)


def _answer(channel: _worker.Channel, stage: Stage) -> None:
    channel.send_ready()
    overlapping = stage.overlapping()
    if overlapping is not None:
        from penstock.worker import async_batches

        async_batches.serve(channel, overlapping)
        return
    process = os.getpid()
    while (batch := channel.receive_batch()) is not None:
        stage.look_ahead(channel, batch)
        _Turn(channel, stage, process).answer(batch)


class _Turn:
    """One batch, from its arrival to its last frame."""

    def __init__(self, channel: _worker.Channel, stage: Stage, process: int) -> None:
        self._channel = channel
        self._stage = stage
        self._process = process
        self._start_ns = time.perf_counter_ns()

    def answer(self, batch: _worker.Batch) -> None:
        # Only when _produce or the handler is left does nothing here look at the batch's memory
        # any more; then the last frame goes, and the engine may use it again.
        failed = None
        current.running.batch_number = self._channel.batch_number
        try:
            self._produce(batch)
        except BaseException as error:  # noqa: BLE001  # A user's sys.exit() is a failure too.
            forked.end_child(self._process, error)
            failed = _pack(error, self._stage)
        if failed is None:
            self._channel.send(False, self._busy_ns())
        else:
            self._channel.send_failed(*failed, self._busy_ns())

    def _produce(self, batch: _worker.Batch) -> None:
        produced = self._stage.run(batch)
        forked.end_child(self._process)  # The parent answers.
        if isinstance(produced, _worker.Output):
            self._write(produced)
        elif produced is not None:
            self._stream(produced)

    def _stream(self, outputs: Iterator[_worker.Output]) -> None:
        for output in outputs:
            if self._write(output):
                self._channel.send(True, self._busy_ns())

    def _write(self, output: _worker.Output) -> bool:
        if not output.has_columns and not output.rows:  # Nobody knows the columns.
            return False
        if not self._channel.write_output(output):
            _leave()  # The engine is gone.
        return True

    def _busy_ns(self) -> int:
        now = time.perf_counter_ns()
        busy = now - self._start_ns - self._channel.take_waited_ns()
        self._start_ns = now
        return max(0, busy)


def _build(channel: _worker.Channel, setup: bytes) -> Stage | None:
    from penstock.worker.functions import Stage  # Only now: those that run tasks need none.

    process = os.getpid()
    stage = Stage()
    try:
        stage.build(setup)
    except BaseException as error:  # noqa: BLE001  # Whatever the user's constructor raises.
        forked.end_child(process, error)
        packed, flags = _pack(error, stage)
        channel.send_failed(packed, flags | _worker.CONSTRUCTOR, 0)
        return None
    forked.end_child(process)
    return stage


def _pack(error: BaseException, stage: Stage) -> tuple[bytes, int]:
    end_if_sticky(error)
    at = stage.failed_at()
    return failure.pack_with_flags(error, function=at.name, row=at.row, input_row=at.input_row)


def _settle() -> None:
    """Take the place of a worker among the engine's processes."""
    if len(sys.argv) > 1:
        _worker.die_with_parent(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to answer.
    os.set_inheritable(_worker.WORKER_SOCKET, False)
    if is_socket(_worker.RECEPTION):
        current.keep_reception(out_of_reach(_worker.RECEPTION))
    _offer_to_be_killed_first()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    faulthandler.enable()
    _worker.buffer_lines()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _stand_in_for_ray() -> None:
    """Have `import ray` find Penstock, where the driver does; see penstock/as_ray."""
    if "PENSTOCK_AS_RAY" in os.environ:
        from penstock import as_ray

        as_ray.install()


def _offer_to_be_killed_first() -> None:
    """Have the kernel, when memory runs out, kill a worker rather than the job."""
    try:
        with open("/proc/self/oom_score_adj", "r+") as score:  # noqa: PTH123  # Needs no pathlib.
            if int(score.read()) < _MEMORY_KILL_SCORE:
                score.write(str(_MEMORY_KILL_SCORE))
    except OSError:  # The kernel's choice is then by size alone.
        return


def _do_nothing() -> None:
    """Stand for the end of a lesson that nobody gives."""


def _leave() -> None:
    """End without taking modules apart, which would cost seconds for large ones."""
    atexit._run_exitfuncs()  # noqa: SLF001  # As the interpreter's own end does.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
