"""Workers that are threads of one process: all run the functions that the first has built."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from typing import TYPE_CHECKING

from penstock import _worker
from penstock.worker.descriptors import out_of_reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.worker.functions import Stage

    Begin = Callable[[_worker.Channel, Stage | None], Stage | None]
    Answer = Callable[[_worker.Channel, Stage], None]

_FRAME_BYTES = 80  # Of src/penstock/worker/wire.h: kJoin.


def serve(begin: Begin, answer: Answer) -> None:
    """Be a worker, and start a thread for each that joins; return when the last has ended.

    `begin` takes a worker's setup and builds the functions, unless it gets them; `answer` answers
    batches until no more come.
    """
    _Pool(begin, answer).serve()


def _can_read(what: socket.socket, *, timeout_ms: int | None) -> bool:
    poller = select.poll()  # Which takes descriptors of any number.
    poller.register(what, select.POLLIN)
    return bool(poller.poll(timeout_ms))


class _Pool:
    """The workers of this process."""

    def __init__(self, begin: Begin, answer: Answer) -> None:
        self._begin = begin
        self._answer = answer
        self._built = threading.Event()
        self._stage: Stage | None = None  # None, once built: the constructor has raised.
        self._changed = threading.Condition()
        self._others = 0
        self._joining: socket.socket | None = socket.socket(
            fileno=out_of_reach(_worker.THREADS_SOCKET)
        )
        threading.Thread(target=self._guard(self._welcome), daemon=True).start()

    def serve(self) -> None:
        descriptor = out_of_reach(_worker.WORKER_SOCKET)
        channel = _worker.Channel(descriptor)
        self._stage = self._begin(channel, None)
        self._built.set()
        if self._stage is not None:
            self._answer(channel, self._stage)
        os.close(descriptor)  # By which the engine knows that this worker has ended.
        with self._changed:
            self._changed.wait_for(lambda: self._others == 0 and not self._has_joiner())

    def _has_joiner(self) -> bool:
        """Say whether a worker has been sent that nobody has welcomed yet."""
        return self._joining is not None and _can_read(self._joining, timeout_ms=0)

    def _welcome(self) -> None:
        """Start a thread for each socket that the engine sends."""
        while self._joining is not None:
            _can_read(self._joining, timeout_ms=None)
            with self._changed:  # Whoever counts the others finds this one here or there.
                frame, descriptors, _, _ = socket.recv_fds(self._joining, _FRAME_BYTES, 1)
                if frame:
                    self._others += 1
                else:
                    self._joining = None
                self._changed.notify_all()
            if not frame:
                return
            work = self._guard(self._work)
            worker = out_of_reach(descriptors[0])
            threading.Thread(target=work, args=(worker,), daemon=True).start()

    def _work(self, descriptor: int) -> None:
        self._built.wait()
        channel = _worker.Channel(descriptor)
        if self._stage is not None and self._begin(channel, self._stage) is not None:
            self._answer(channel, self._stage.twin())
        os.close(descriptor)
        with self._changed:
            self._others -= 1
            self._changed.notify_all()

    @staticmethod
    def _guard(run: Callable[..., None]) -> Callable[..., None]:
        """Have the process end where a thread of ours fails, as it does where the main one does."""

        def guarded(*arguments: int) -> None:
            try:
                run(*arguments)
            except BaseException:  # noqa: BLE001  # Whatever it is, nobody else would hear of it.
                sys.excepthook(*sys.exc_info())
                os._exit(1)

        return guarded
