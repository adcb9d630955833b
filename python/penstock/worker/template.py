"""A template process: it imports what workers need, then forks them.

A fork copies the one thread that forks, and no device. So before the first fork the template
looks for threads that it does not know to be harmless and for CUDA; with either it refuses, and the
engine spawns its workers.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penstock import _worker
from penstock.worker import finalizers, forked, imports, proof
from penstock.worker.descriptors import is_pipe
from penstock.worker.functions import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

# A Frame of src/penstock/worker/wire.h.
_FRAME = struct.Struct("=IIIIQQqqQqqq")
_MAGIC = 0x4B4E5350
_FORK, _PREPARED, _REFUSED, _FORKED, _FORK_FAILED, _ENDED = range(10, 16)
_GIVEN = 4  # A worker's socket, its standard output, error and environment: what kFork brings.
_PROOF_DEADLINE_S = 10.0

# Threads that may be there when a process forks, by the kernel's name for them, and why.
_HARMLESS_THREADS = {
    # Arrow's allocator: its handlers around a fork stop it and start it again in the child.
    "jemalloc_bg_thd",
}


def serve(run_worker: Callable[[Stage | None], None]) -> None:
    """Learn or build, then fork workers, each of which calls `run_worker` with what was built."""
    stage = None
    reason = None
    process = os.getpid()
    if is_pipe(_worker.MODULES_PIPE):
        gc.disable()  # Imports make little garbage.
        imports.learn(_worker.MODULES_PIPE)
        finalizers.drop_at_exit()
    else:
        stage, reason = _build()
        gc.collect()
    forked.end_child(process)  # Of an import.
    template = _Template()
    reason = reason or unsafe_to_fork()
    if reason is not None:
        template.refuse(reason)
        return
    gc.freeze()  # What is there stays as it is, in pages that the workers share.
    if template.fork_on_request():
        gc.enable()
        run_worker(stage)


def _build() -> tuple[Stage | None, str | None]:
    """Build the functions that the engine names; return them, or why that was not possible."""
    setup = _worker.Channel(_worker.WORKER_SOCKET).receive_setup()
    process = os.getpid()
    stage = Stage()
    try:
        stage.build(setup or b"")
    except BaseException as error:  # noqa: BLE001  # Whatever the user's constructor raises.
        forked.end_child(process, error)
        return None, f"the model could not be built to be shared: {type(error).__name__}: {error}"
    return stage, None


def unsafe_to_fork() -> str | None:
    """Return why this process must not be forked from; None when it may be."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "CUDA was initialised before the fork"
    unknown = _unknown_threads()
    if unknown:
        _fork_in_vain()
        unknown = _unknown_threads()
    if unknown:
        names = ", ".join(sorted(unknown))
        return f"an import or a constructor started threads that a fork may break: {names}"
    return None


def _fork_in_vain() -> None:
    """Have libraries end the threads that they end at each fork, as OpenBLAS does."""
    process, _ = _try_fork()
    if process == 0:
        os._exit(0)
    if process > 0:
        os.kill(process, signal.SIGKILL)  # It may hang in what libraries do after a fork.
        os.waitpid(process, 0)


def _unknown_threads() -> list[str]:
    return [name for name in _other_threads() if name not in _HARMLESS_THREADS]


def _other_threads() -> list[str]:
    names = []
    for thread in Path("/proc/self/task").iterdir():
        if int(thread.name) == os.getpid():
            continue
        try:
            names.append((thread / "comm").read_text().strip())
        except OSError:  # It has ended meanwhile.
            continue
    return names


def _text(text: str) -> int:
    descriptor = os.memfd_create("penstock-text")
    os.write(descriptor, text.encode(errors="replace")[:4096])
    return descriptor


def _try_fork() -> tuple[int, str]:
    """Return what os.fork returns, or -1 and why it failed."""
    try:
        return os.fork(), ""
    except OSError as error:
        return -1, f"no worker could be forked: {error.strerror}"


class _Newborn(NamedTuple):
    """A forked process that has not shown yet that it works."""

    process: int
    worker: int
    deadline: float

    def end(self) -> str:
        """Kill it, and return what it did wrong."""
        late = time.monotonic() >= self.deadline
        os.kill(self.process, signal.SIGKILL)
        ended = os.waitid(os.P_PID, self.process, os.WEXITED)
        if late or ended is None:
            return f"a forked worker did not show within {_PROOF_DEADLINE_S:.0f} s that it works"
        return f"a forked worker ended (status {ended.si_status}) before it had shown that it works"


class _Template:
    """The template's end of its socket, and its children."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=_worker.WORKER_SOCKET)
        self._workers: dict[int, int] = {}  # By process id, the engine's number.
        self._newborns: dict[int, _Newborn] = {}  # By the descriptor on which they will be heard.
        self._wakeup, self._alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def refuse(self, reason: str) -> None:
        """Tell the engine that no worker will be forked here."""
        self._send(_REFUSED, descriptor=_text(reason))

    def fork_on_request(self) -> bool:
        """Fork when asked, reap what ends. True in a worker; False when the engine is gone."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)
        self._send(_PREPARED)
        while True:
            ready = self._wait()
            if self._wakeup in ready:
                self._reap()
            for heard in list(self._newborns):
                self._judge(heard, spoke=heard in ready)
            if self._socket.fileno() not in ready:
                continue
            message, descriptors, _, _ = socket.recv_fds(self._socket, _FRAME.size, _GIVEN)
            if not message:
                return False
            frame = _FRAME.unpack(message)
            if self._fork(frame[4], descriptors, frame[6]):
                return True

    def _wait(self) -> list[int]:
        watched = [self._socket.fileno(), self._wakeup, *self._newborns]
        deadlines = [newborn.deadline for newborn in self._newborns.values()]
        patience_s = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        return select.select(watched, [], [], patience_s)[0]

    def _fork(self, worker: int, given: list[int], variables_bytes: int) -> bool:
        """Fork a worker that has the `given` descriptors. True in the worker."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # Else each worker would print it again.
        heard, told = os.pipe2(os.O_CLOEXEC)
        template = os.getpid()
        process, failure = _try_fork()
        if process == 0:
            os.close(heard)
            self._become(template, given, told, variables_bytes)
            return True
        for descriptor in (*given, told):
            os.close(descriptor)
        if failure:
            os.close(heard)
            self._send(_FORK_FAILED, worker=worker, descriptor=_text(failure))
        else:
            deadline = time.monotonic() + _PROOF_DEADLINE_S
            self._newborns[heard] = _Newborn(process, worker, deadline)
        return False

    def _judge(self, heard: int, *, spoke: bool) -> None:
        """Take a new worker that has shown that it works; end one that has not, or is late."""
        process, worker, deadline = newborn = self._newborns[heard]
        if not spoke and time.monotonic() < deadline:
            return
        works = spoke and os.read(heard, 1) == b"1"
        del self._newborns[heard]
        os.close(heard)
        if works:
            self._workers[process] = worker
            self._send(_FORKED, worker=worker, process=process, descriptor=os.pidfd_open(process))
        else:
            self._send(_FORK_FAILED, worker=worker, descriptor=_text(newborn.end()))

    def _become(self, template: int, given: list[int], told: int, variables_bytes: int) -> None:
        """Turn this copy of the template into a worker."""
        if variables_bytes:
            text = os.fsdecode(os.pread(given[3], variables_bytes, 0))
            for entry in filter(None, text.split("\0")):
                name, _, value = entry.partition("=")
                os.environ[name] = value
        os.setpgid(0, 0)
        _worker.die_with_parent(template)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._wakeup)
        os.close(self._alarm)
        for other in self._newborns:
            os.close(other)
        self._socket.close()
        os.dup2(given[0], _worker.WORKER_SOCKET, inheritable=False)
        os.dup2(given[1], 1)
        os.dup2(given[2], 2)
        for descriptor in given:
            os.close(descriptor)
        proof.prove()
        os.write(told, b"1")
        os.close(told)

    def _reap(self) -> None:
        os.read(self._wakeup, 4096)
        for process, worker in list(self._workers.items()):
            ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                continue
            # While it is not reaped, its group's number cannot be another's.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process, signal.SIGKILL)
            os.waitid(os.P_PID, process, os.WEXITED)
            del self._workers[process]
            self._send(_ENDED, worker=worker, code=ended.si_code, status=ended.si_status)

    def _send(
        self,
        kind: int,
        *,
        worker: int = 0,
        process: int = 0,
        code: int = 0,
        status: int = 0,
        descriptor: int = -1,
    ) -> None:
        frame = _FRAME.pack(_MAGIC, kind, 0, 0, worker, process, 0, 0, 0, 0, code, status)
        try:
            if descriptor < 0:
                self._socket.send(frame)
            else:
                socket.send_fds(self._socket, [frame], [descriptor])
                os.close(descriptor)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The engine is gone; the next wait says so.
