"""Starts what serves a Python file system to the engine, over pairs of sockets."""

from __future__ import annotations

import atexit
import os
import pickle
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from penstock.worker.command import worker_command
from penstock.worker.file_server import FileServer, serve

if TYPE_CHECKING:
    import pyarrow.fs as pafs

_CONNECTIONS = 16  # So many requests are answered at once.

_processes: list[subprocess.Popen[bytes]] = []  # Not seen to have ended yet.


def pack(filesystem: pafs.FileSystem) -> bytes:
    """Return the file system as it travels.

    Raises:
        TypeError: it cannot be pickled.

    """
    import cloudpickle

    try:
        return pickle.dumps((sys.path, cloudpickle.dumps(filesystem)))
    except Exception as error:
        raise TypeError(
            "The file system cannot be sent to another process, where it is to run; make it "
            f"picklable, or copy the files first; the cause: {error}; got: {filesystem!r}"
        ) from error


def start(packed: bytes) -> list[int]:
    """Start a process that serves a packed file system; return our ends of its sockets.

    It ends when all of them are closed, and with this process.
    """
    if not _processes:
        atexit.register(_end, os.getpid())
    _processes[:] = [process for process in _processes if process.poll() is None]
    arguments, _, environment = worker_command()
    pairs = [socket.socketpair() for _ in range(_CONNECTIONS)]
    theirs = [their.fileno() for _, their in pairs]
    module = arguments.index("-m")
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*arguments[:module], "-m", "penstock.worker.file_server", *map(str, theirs)],
        stdin=subprocess.PIPE,
        pass_fds=theirs,
        env=dict(entry.split("=", 1) for entry in environment),
    )
    _processes.append(process)
    for _, their in pairs:
        their.close()
    if process.stdin is not None:
        with process.stdin:
            process.stdin.write(packed)
    return [our.detach() for our, _ in pairs]


def serve_here(filesystem: pafs.FileSystem) -> list[int]:
    """Serve a file system of this process's own from threads of this process.

    The engine's threads wait for them as for another process, without the GIL.
    """
    server = FileServer(filesystem)
    ours = []
    for _ in range(_CONNECTIONS):
        our, their = socket.socketpair()
        threading.Thread(target=serve, args=(server, their), daemon=True).start()
        ours.append(our.detach())
    return ours


def _end(owner: int) -> None:
    """End the processes with the one that started them; a fork of it leaves them alone."""
    while _processes and os.getpid() == owner:
        process = _processes.pop()
        process.kill()
        process.wait()
