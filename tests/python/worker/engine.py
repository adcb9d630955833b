"""Plays the engine to a real worker process, over a socket pair and memfds."""

from __future__ import annotations

import array
import json
import mmap
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from penstock import _worker
from penstock.worker import failure
from penstock.worker.batches import encode
from penstock.worker.command import worker_command
from penstock.worker.payload import pack_function

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAME = struct.Struct("<IIIIQQqqQqqq")
_MAGIC = 0x4B4E5350
SETUP, READY, BATCH, OUTPUT, GRANT, DONE, FAILED, STOP, FORGET = range(1, 10)
INPUT_DESCRIPTOR, OUTPUT_DESCRIPTOR, MORE, CONSTRUCTOR, BAD_RETURN = 1, 2, 4, 8, 16
_PATIENCE_S = 30


class Frame(NamedTuple):
    kind: int
    flags: int = 0
    batch: int = 0
    segment: int = 0
    segment_bytes: int = 0
    segment_capacity: int = 0
    output_segment: int = 0
    output_capacity: int = 0
    rows: int = 0
    busy_ns: int = 0


class Memory:
    """A memfd that both sides map."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.descriptor = os.memfd_create("penstock-test", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, max(capacity, 1))
        self.bytes = mmap.mmap(self.descriptor, max(capacity, 1))

    def close(self) -> None:
        self.bytes.close()
        os.close(self.descriptor)


class Answer(NamedTuple):
    frame: Frame
    data: bytes  # What the worker wrote, or b"".

    def table(self) -> _worker.Batch:
        assert self.frame.kind == OUTPUT, self.failure()
        batch = _worker.Batch.from_bytes(self.data)
        assert batch.rows == self.frame.rows
        return batch

    def failure(self) -> failure.Failure | None:
        return failure.unpack(self.data)


class Engine:
    """One worker, spoken to frame by frame."""

    def __init__(self, setup: bytes, *, is_template: bool = False) -> None:
        self._memory: dict[int, Memory] = {}
        self._told: set[int] = set()
        self._next_segment = 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_PATIENCE_S)
        self.socket = ours
        spawned, template, environment = worker_command()
        arguments = template if is_template else spawned
        self.pid = os.posix_spawn(
            arguments[0],
            arguments,
            dict(line.split("=", 1) for line in environment),
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), _worker.WORKER_SOCKET)],
        )
        theirs.close()
        self._exit_code: int | None = None
        self.send_setup(setup)

    def send_setup(self, setup: bytes) -> None:
        segment = self.acquire(len(setup))
        self._memory[segment].bytes[: len(setup)] = setup
        self.send(
            Frame(
                SETUP,
                flags=INPUT_DESCRIPTOR,
                segment=segment,
                segment_bytes=len(setup),
                segment_capacity=len(setup),
            ),
            [self._memory[segment].descriptor],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.socket.close()
        self.wait()
        for memory in self._memory.values():
            memory.close()

    def acquire(self, capacity: int) -> int:
        segment = self._next_segment
        self._next_segment += 1
        self._memory[segment] = Memory(capacity)
        return segment

    def memory(self, segment: int) -> Memory:
        return self._memory[segment]

    def send(self, frame: Frame, descriptors: list[int] | None = None) -> None:
        data = _FRAME.pack(_MAGIC, frame.kind, frame.flags, 0, *frame[2:])
        socket.send_fds(self.socket, [data], descriptors or [])

    def send_batch(
        self, batch: int, packed: bytes, *, output: int = 1 << 20, segment: int | None = None
    ) -> int:
        """Send a packed batch with `output` bytes of room (0: none); return its segment."""
        segment = segment or self.acquire(len(packed))
        self._memory[segment].bytes[: len(packed)] = packed
        room = self.acquire(output) if output else 0
        named = [s for s in (segment, room) if s and s not in self._told]
        flags = (INPUT_DESCRIPTOR if segment in named else 0) | (
            OUTPUT_DESCRIPTOR if room in named else 0
        )
        self._told.update(named)
        self.send(
            Frame(
                BATCH,
                flags=flags,
                batch=batch,
                segment=segment,
                segment_bytes=len(packed),
                segment_capacity=self._memory[segment].capacity,
                output_segment=room,
                output_capacity=output,
                rows=_worker.Batch.from_bytes(packed).rows,
            ),
            [self._memory[s].descriptor for s in named],
        )
        return segment

    def grant(self, batch: int, capacity: int = 1 << 20) -> None:
        room = self.acquire(capacity)
        self._told.add(room)
        self.send(
            Frame(
                GRANT,
                flags=OUTPUT_DESCRIPTOR,
                batch=batch,
                output_segment=room,
                output_capacity=capacity,
            ),
            [self._memory[room].descriptor],
        )

    def receive(self) -> Answer:
        data, ancillary, _, _ = self.socket.recvmsg(_FRAME.size, socket.CMSG_SPACE(4 * 4))
        if not data:
            raise EOFError("the worker is gone")
        magic, kind, flags, reserved, *rest = _FRAME.unpack(data)
        assert (magic, reserved) == (_MAGIC, 0)
        frame = Frame(kind, flags, *rest)
        descriptors = array.array("i")
        for _, _, content in ancillary:
            descriptors.frombytes(content)
        assert len(descriptors) == (1 if flags & INPUT_DESCRIPTOR else 0)
        if descriptors:
            with mmap.mmap(descriptors[0], frame.segment_capacity, prot=mmap.PROT_READ) as mapped:
                content = mapped[: frame.segment_bytes]
            os.close(descriptors[0])
            return Answer(frame, content)
        if frame.segment:
            return Answer(frame, self._memory[frame.segment].bytes[: frame.segment_bytes])
        return Answer(frame, b"")

    def expect(self, kind: int) -> Answer:
        answer = self.receive()
        assert answer.frame.kind == kind, (answer.frame, answer.failure())
        return answer

    def stop(self) -> int:
        self.send(Frame(STOP))
        return self.wait()

    def wait(self) -> int:
        if self._exit_code is None:
            _, status = os.waitpid(self.pid, 0)
            self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code


class Step(NamedTuple):
    """A function as a plan holds it."""

    function: Callable[..., Any]
    kind: str = "batches"
    keeps_rows: bool = False
    name: str = ""
    options: dict[str, Any] = {}  # noqa: RUF012  # Never changed.

    def title(self) -> str:
        return self.name or getattr(self.function, "__name__", "function")


def setup_of(*steps: Step) -> bytes:
    payloads = [
        pack_function(
            step.function,
            **{"batch_format": "numpy" if step.kind == "batches" else "rows"} | step.options,
        )
        for step in steps
    ]
    facts = [
        {
            "name": step.title(),
            "kind": step.kind,
            "keeps_rows": step.keeps_rows,
            "bytes": len(payload),
        }
        for step, payload in zip(steps, payloads, strict=True)
    ]
    header = json.dumps({"stage": "stage", "functions": facts}).encode()
    return b"PENSETUP" + len(header).to_bytes(4, "little") + header + b"".join(payloads)


def pack(columns: Any) -> bytes:
    """Return the columns as the engine lays them out."""
    return encode(columns, "test").to_bytes()


def run(columns: Any, *steps: Step) -> list[Answer]:
    """Run steps over one batch in a worker of its own; return its answers up to the last."""
    with Engine(setup_of(*steps)) as engine:
        engine.expect(READY)
        engine.send_batch(7, pack(columns))
        answers = [engine.receive()]
        while answers[-1].frame.kind == OUTPUT and answers[-1].frame.flags & MORE:
            engine.grant(7)
            answers.append(engine.receive())
        assert engine.stop() == 0
        return answers
