"""What the tests of a client have it say."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import fake_hub
from fake_hub import inline

if TYPE_CHECKING:
    from penstock import _worker

SYSTEM_ERROR, ITEM, END = 2, 8, 16
LARGE = 100_000


def submit(client: _worker.Client, *, given: tuple[int, ...] = (), **more: Any) -> int:
    chosen = {"kind": 0, "function": 5, "actor": 0, "method": "", "returns": 1, "options": ""}
    chosen.update(more)
    arguments = client.pack(b"arguments", [], [])
    return client.submit(**chosen, arguments=arguments, given=list(given))


def put(client: _worker.Client, size: int) -> int:
    return client.put(client.pack(b"x" * size, [], []))


def error(code: int, message: str) -> bytes:
    return inline(struct.pack("=I", code) + message.encode(), SYSTEM_ERROR)


def segment_of(message: fake_hub.Message) -> int:
    message.take("Q")
    value = message.value()
    assert value["brings"] == len(message.descriptors) == 1
    return int(value["segment"])
