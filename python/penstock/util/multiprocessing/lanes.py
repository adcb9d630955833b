"""The threads of a pool: each feeds one process, chunk by chunk."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from penstock.util.multiprocessing.process import Answer, Form


class Chunk(NamedTuple):
    """Items for one function, and where the answer goes."""

    packed: Any  # The function: its bytes, or a reference to them.
    form: Form
    items: list[Any]
    answer: Future[Answer]


class Lanes:
    """A thread for each process; whichever is free takes the next chunk.

    A process that dies is replaced for the next chunk; the chunk that it held fails.
    """

    def __init__(
        self, start_process: Callable[[], Any], count: int, *, chunks_per_process: int | None
    ) -> None:
        """Start the threads and their processes.

        Args:
            start_process: returns the handle of a new `PoolProcess`.
            count: how many there are at a time.
            chunks_per_process: after how many a process is replaced; None: never.

        """
        self._chunks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()
        self._lanes = [
            _Lane(self._chunks, start_process, start_process(), chunks_per_process)
            for _ in range(count)
        ]
        for lane in self._lanes:
            lane.thread.start()

    def add(self, chunk: Chunk) -> None:
        """Have a chunk answered; the pool is not closed."""
        self._chunks.put(chunk)

    def close(self) -> None:
        """Have each thread and its process end when all the chunks are answered."""
        for _ in self._lanes:
            self._chunks.put(None)

    def terminate(self) -> None:
        """End all processes at once; what is not answered fails."""
        for lane in self._lanes:
            lane.stop()
        while True:
            try:
                chunk = self._chunks.get_nowait()
            except queue.Empty:
                break
            if chunk is not None:
                chunk.answer.set_exception(_terminated())
        self.close()

    def join(self) -> None:
        """Wait until all but the caller have ended, as `close` or `terminate` has told them."""
        for lane in self._lanes:
            if lane.thread is not threading.current_thread():  # A callback ends the pool.
                lane.thread.join()


class _Lane:
    """One thread and its process."""

    def __init__(
        self,
        chunks: queue.SimpleQueue[Chunk | None],
        start_process: Callable[[], Any],
        process: Any,
        chunks_per_process: int | None,
    ) -> None:
        self.thread = threading.Thread(target=self._run, name="penstock-pool", daemon=True)
        self._chunks = chunks
        self._start_process = start_process
        self._chunks_per_process = chunks_per_process

        self._lock = threading.Lock()  # Guards everything below.
        self._process: Any = process
        self._chunks_of_process = 0
        self._stopped = False

    def _run(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            self._answer(chunk)
            del chunk  # Its items must not wait for the next.
        self._retire_process()

    def stop(self) -> None:
        """End the process under the running chunk; chunks that come later fail."""
        import penstock

        with self._lock:
            self._stopped = True
        process = self._let_go()
        if process is not None:
            penstock.kill(process)

    def _answer(self, chunk: Chunk) -> None:
        import penstock
        from penstock.exceptions import RayActorError

        try:
            process = self._living_process()
            answer = penstock.get(process.run.remote(chunk.packed, chunk.form, chunk.items))
        except BaseException as error:  # noqa: BLE001  # Whoever asked is to hear of it.
            if isinstance(error, RayActorError):
                self._let_go()
            chunk.answer.set_exception(_terminated() if self._is_stopped() else error)
            return
        chunk.answer.set_result(answer)

    def _living_process(self) -> Any:
        with self._lock:
            is_worn = self._chunks_of_process == self._chunks_per_process
        if is_worn:
            self._retire_process()
        with self._lock:
            if self._stopped:
                raise _terminated()
            if self._process is None:
                self._process = self._start_process()
            self._chunks_of_process += 1
            return self._process

    def _retire_process(self) -> None:
        """End a process that has nothing more to do, and wait for it."""
        import penstock

        process = self._let_go()
        if process is not None:
            penstock.wait([process.__ray_terminate__.remote()])

    def _let_go(self) -> Any:
        with self._lock:
            process, self._process = self._process, None
            self._chunks_of_process = 0
        return process

    def _is_stopped(self) -> bool:
        with self._lock:
            return self._stopped


def _terminated() -> Exception:
    from penstock.exceptions import TaskCancelledError

    return TaskCancelledError("The pool was terminated")
