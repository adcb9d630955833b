"""A hub made of a socket alone, for tests that say themselves what it answers."""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from typing import Any

from penstock import _worker

HELLO, DEFINE, SUBMIT, PUT, GET, WAIT, HURRY, DROP, HOLD, RELEASE = range(1, 11)
CANCEL, KILL, FIND_ACTOR, NEXT, ASK, DONE, YIELD, UNMAPPED, BLOCKED, UNBLOCKED = range(11, 21)
GIVE_BACK = 21
WELCOME, VALUE, READY, ACTOR, TEXT, RUN, FUNCTION, INTERRUPT, REUSABLE, STOP, TAKE_BACK = range(
    32, 43
)

COUNTS = (HOLD, RELEASE, UNMAPPED)

_HEADER = struct.Struct("=IHH")
_PACKET_BYTES = 64 * 1024
NUMBER = 7


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("=I", len(data)) + data


def ids(*numbers: int) -> bytes:
    return struct.pack(f"=I{len(numbers)}Q", len(numbers), *numbers)


def inline(data: bytes, flags: int = 0) -> bytes:
    return struct.pack("=BB", 1, flags) + text(data)


def shared(segment: int, size: int, capacity: int, *, brings: bool) -> bytes:
    return struct.pack("=BBQQQQB", 2, 0, segment, 0, size, capacity, brings)


def packed(pickled: bytes) -> bytes:
    """Lay out an object without buffers."""
    return struct.pack("=IIQ", 0, 0, len(pickled)) + pickled


class Message:
    """What a client has sent, read field by field."""

    def __init__(self, kind: int, fields: bytes, descriptors: list[int]) -> None:
        self.kind = kind
        self.descriptors = descriptors
        self._rest = fields

    def take(self, form: str) -> Any:
        values = struct.unpack_from("=" + form, self._rest)
        self._rest = self._rest[struct.calcsize("=" + form) :]
        return values[0] if len(values) == 1 else values

    def text(self) -> bytes:
        size = self.take("I")
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def ids(self) -> list[int]:
        return [self.take("Q") for _ in range(self.take("I"))]

    def value(self) -> dict[str, Any]:
        form, flags = self.take("BB")
        value: dict[str, Any] = {"form": form, "flags": flags}
        if form == 1:
            value["bytes"] = self.text()
        elif form == 2:
            names = ("segment", "offset", "size", "capacity", "brings")
            value.update(zip(names, self.take("QQQQB"), strict=True))
        value["ids"] = self.ids()
        return value

    @property
    def at_end(self) -> bool:
        return not self._rest


class FakeHub:
    def __init__(self) -> None:
        self._other: socket.socket | None
        self._socket, self._other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(20)
        self._bytes = b""
        self._descriptors: deque[int] = deque()
        self.counted: list[tuple[int, list[int]]] = []
        self._welcome("{}")

    @classmethod
    def over(cls, ours: socket.socket) -> FakeHub:
        """Be the hub of a process that has connected by itself."""
        hub = cls.__new__(cls)
        hub._socket = ours
        hub._other = None
        hub._socket.settimeout(20)
        hub._bytes = b""
        hub._descriptors = deque()
        hub.counted = []
        hub._welcome("{}")
        return hub

    def connect(self, worker: int = 0) -> _worker.Client:
        assert self._other is not None
        client = _worker.Client(self._other.detach(), worker)
        hello = self.next(HELLO)
        assert hello.take("QQ") == (worker, os.getpid())
        return client

    def _welcome(self, facts: str) -> None:
        self.send(WELCOME, struct.pack("=I", NUMBER) + text(facts))

    def next(self, *kinds: int) -> Message:
        """Return the next message, which must be of one of these kinds.

        What counts references and views on the way is noted in `counted`.
        """
        message = self.next_of_any_kind()
        while message.kind not in kinds and message.kind in COUNTS:
            self.counted.append((message.kind, message.ids()))
            message = self.next_of_any_kind()
        assert message.kind in kinds, f"wanted message {kinds}, got {message.kind}"
        return message

    def next_of_any_kind(self) -> Message:
        while len(self._bytes) < 8 or len(self._bytes) < _HEADER.unpack_from(self._bytes)[0]:
            data, descriptors, _, _ = socket.recv_fds(self._socket, _PACKET_BYTES, 64)
            if not data:
                raise EOFError
            self._bytes += data
            self._descriptors.extend(descriptors)
        size, kind, count = _HEADER.unpack_from(self._bytes)
        fields, self._bytes = self._bytes[8:size], self._bytes[size:]
        return Message(kind, fields, [self._descriptors.popleft() for _ in range(count)])

    def has_sent_nothing(self) -> bool:
        self._socket.setblocking(False)
        try:
            return not self._bytes and not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(20)

    def send(self, kind: int, fields: bytes, descriptors: list[int] | None = None) -> None:
        message = _HEADER.pack(8 + len(fields), kind, len(descriptors or [])) + fields
        for start in range(0, len(message), _PACKET_BYTES):
            packet = message[start : start + _PACKET_BYTES]
            if descriptors:
                socket.send_fds(self._socket, [packet], descriptors)
                descriptors = None
            else:
                self._socket.send(packet)

    def send_value(self, request: int, value: bytes, place: int = 0, **more: Any) -> None:
        self.send(VALUE, struct.pack("=QI", request, place) + value, **more)

    def close(self) -> None:
        self._socket.close()
        if self._other is not None:
            self._other.close()
