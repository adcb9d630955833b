"""A real worker process that runs tasks, and the hub that it believes in."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
from typing import TYPE_CHECKING, Any, Self

import fake_hub
from fake_hub import FakeHub, Message, inline, text

from penstock import _worker
from penstock.core.definitions import pack_definition
from penstock.worker import failure
from penstock.worker.command import worker_command

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTION, CONSTRUCTOR, METHOD = range(3)
FAILED, RETRY_WANTED, LEAVING, WAS_CANCELLED = 1, 2, 4, 8
WORKER = 41

# A Frame of src/penstock/worker/wire.h.
_FRAME = struct.Struct("<IIIIQQqqQqqq")
_MAGIC = 0x4B4E5350
_SETUP, _READY = 1, 2
_ACTOR = 900
_PATIENCE_S = 30


def object_bytes(value: Any) -> bytes:
    """Lay out an object as `pack` does; for values without buffers."""
    import cloudpickle

    return fake_hub.packed(cloudpickle.dumps(value))


def arguments_of(*args: Any, **kwargs: Any) -> bytes:
    return inline(object_bytes((args, kwargs)))


class Result:
    """What a task's end said."""

    def __init__(self, message: Message) -> None:
        self.task, self.flags, count = message.take("QII")
        self.values = [message.value() for _ in range(count)]
        assert message.at_end

    def objects(self) -> list[Any]:
        assert self.flags == 0, self.failure()
        return [load(value) for value in self.values]

    def failure(self) -> failure.Failure:
        (value,) = self.values
        told = failure.unpack(value["bytes"][16:])
        assert told is not None
        return told


def load(value: dict[str, Any]) -> Any:
    import pickle

    return pickle.loads(value["bytes"][16:])


class TaskWorker:
    """One worker, and the hub's end of its link."""

    def __init__(self, **setup: Any) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(30)
        ours, reception = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = worker_command()
        self.pid = os.posix_spawn(
            command.arguments[0],
            command.arguments,
            dict(line.split("=", 1) for line in command.environment),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), _worker.WORKER_SOCKET),
                (os.POSIX_SPAWN_DUP2, reception.fileno(), _worker.RECEPTION),
            ],
        )
        theirs.close()
        reception.close()
        self._set_up(b"PENTASKS" + WORKER.to_bytes(8, "little") + json.dumps(setup).encode())
        with ours:
            ours.settimeout(30)
            _, (descriptor,), _, _ = socket.recv_fds(ours, 1, 1)
        self.hub = FakeHub.over(socket.socket(fileno=descriptor))
        worker, process = self.hub.next(fake_hub.HELLO).take("QQ")
        assert (worker, process) == (WORKER, self.pid)
        assert _FRAME.unpack(self._channel.recv(_FRAME.size))[1] == _READY
        self._functions = 0
        self._tasks = 100

    def _set_up(self, setup: bytes) -> None:
        memory = os.memfd_create("setup")
        os.write(memory, setup)
        frame = _FRAME.pack(_MAGIC, _SETUP, 1, 0, 0, 1, len(setup), len(setup), 0, 0, 0, 0)
        socket.send_fds(self._channel, [frame], [memory])
        os.close(memory)

    def define(self, function: Callable[..., Any], **options: Any) -> int:
        self._functions += 1
        data = pack_definition(function, **options)
        self.hub.send(fake_hub.FUNCTION, struct.pack("=Q", self._functions) + inline(data))
        return self._functions

    def send(
        self,
        function: int = 0,
        *args: Any,
        kind: int = FUNCTION,
        method: str = "",
        returns: int = 1,
        given: tuple[bytes, ...] = (),
        **options: Any,
    ) -> int:
        """Send a task and return its number; `given` are values as the wire has them."""
        return self.send_with(
            function,
            arguments_of(*args),
            kind=kind,
            method=method,
            returns=returns,
            given=given,
            options=options,
        )

    def send_with(
        self,
        function: int,
        arguments: bytes,
        *,
        kind: int = FUNCTION,
        method: str = "",
        returns: int = 1,
        given: tuple[bytes, ...] = (),
        options: dict[str, Any] | None = None,
        devices: str = "",
        attempt: int = 0,
        descriptors: list[int] | None = None,
    ) -> int:
        """Send a task with arguments as the wire has them."""
        self._tasks += 1
        actor = 0 if kind == FUNCTION else _ACTOR
        fields = struct.pack("=QBQQ", self._tasks, kind, function, actor) + text(method)
        fields += struct.pack("=i", returns) + text(json.dumps(options) if options else "")
        fields += text(devices) + struct.pack("=I", attempt) + arguments
        fields += struct.pack("=I", len(given)) + b"".join(given)
        self.hub.send(fake_hub.RUN, fields, descriptors)
        return self._tasks

    def construct(self, kind: type, *args: Any, **options: Any) -> None:
        self.send(self.define(kind), *args, kind=CONSTRUCTOR, **options)
        assert self.result().flags == 0

    def call(self, method: str, *args: Any, returns: int = 1, **options: Any) -> int:
        return self.send(0, *args, kind=METHOD, method=method, returns=returns, **options)

    def result(self) -> Result:
        return Result(self.hub.next(fake_hub.DONE))

    def run(self, function: Callable[..., Any], *args: Any, **more: Any) -> Result:
        self.send(self.define(function), *args, **more)
        return self.result()

    def stop(self) -> int:
        self.hub.send(fake_hub.STOP, b"")
        return self.wait()

    def wait(self) -> int:
        """Wait for the process's end; kill one that does not come to it."""
        ended = os.pidfd_open(self.pid)
        if not select.select([ended], [], [], _PATIENCE_S)[0]:
            os.kill(self.pid, signal.SIGKILL)
        os.close(ended)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.hub.close()
        self._channel.close()
        if self.pid:
            self.wait()


def interrupt(worker: TaskWorker, task: int) -> None:
    worker.hub.send(fake_hub.INTERRUPT, struct.pack("=Q", task))
    os.kill(worker.pid, signal.SIGUSR1)
