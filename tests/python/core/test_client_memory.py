"""Large values lie in shared memory, which serves again."""

from __future__ import annotations

import fcntl
import os
import pickle
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from client_calls import LARGE, SYSTEM_ERROR, put, segment_of
from fake_hub import FakeHub, ids, inline, packed, shared, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from penstock import _worker


def test_a_large_value_lies_in_a_sealed_segment(hub: FakeHub, client: _worker.Client) -> None:
    put(client, LARGE)
    message = hub.next(fake_hub.PUT)
    message.take("Q")
    value = message.value()
    (descriptor,) = message.descriptors
    assert (value["form"], value["brings"], value["offset"]) == (2, 1, 0)
    assert os.fstat(descriptor).st_size == value["capacity"] >= value["size"] > LARGE
    assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
    assert os.pread(descriptor, value["size"], 0) == packed(b"x" * LARGE)


def test_a_packed_value_can_be_sent_once(client: _worker.Client) -> None:
    value = client.pack(b"x" * LARGE, [], [])
    client.put(value)
    with pytest.raises(ValueError, match="once"):
        client.put(value)


def test_a_segment_serves_again_once_nobody_has_it(hub: FakeHub, client: _worker.Client) -> None:
    put(client, LARGE)
    first = segment_of(hub.next(fake_hub.PUT))
    put(client, LARGE)
    second = segment_of(hub.next(fake_hub.PUT))
    assert second != first
    hub.send(fake_hub.REUSABLE, ids(first))
    client.poll()
    put(client, LARGE - 500)
    assert segment_of(hub.next(fake_hub.PUT)) == first
    put(client, LARGE)
    assert segment_of(hub.next(fake_hub.PUT)) not in (first, second)


def test_what_is_packed_and_never_sent_serves_again(hub: FakeHub, client: _worker.Client) -> None:
    value = client.pack(b"x" * LARGE, [], [])
    del value
    put(client, LARGE)
    first = segment_of(hub.next(fake_hub.PUT))
    assert first & 0xFFFFFFFF == 1


def view(hub: FakeHub, client: _worker.Client, value: bytes, descriptor: int | None) -> Any:
    got: list[_worker.Value] = []
    client.when_ready(3, got.append)
    request = hub.next(fake_hub.GET).take("Q")
    hub.send_value(request, value, descriptors=None if descriptor is None else [descriptor])
    client.poll()
    return got.pop()


def test_the_hub_is_told_once_for_each_naming_when_nobody_looks_any_more(
    hub: FakeHub, client: _worker.Client
) -> None:
    memory = os.memfd_create("object")
    os.write(memory, packed(b"shared"))
    value = shared(99, 22, 4096, brings=True)
    values = [view(hub, client, value, memory) for _ in range(3)]
    os.close(memory)
    assert [bytes(each.pickled) for each in values] == [b"shared"] * 3
    part = values[0].pickled[:3]
    values.clear()
    put(client, 1)
    hub.next(fake_hub.PUT)
    assert not hub.counted
    assert bytes(part) == b"sha"
    with pytest.raises(TypeError, match="read-only"):
        part[0] = 1
    del part
    put(client, 1)
    hub.next(fake_hub.PUT)
    assert hub.next(fake_hub.UNMAPPED).ids() == [99, 99, 99]


def test_a_process_reads_its_own_segments_where_they_are(
    hub: FakeHub, client: _worker.Client
) -> None:
    put(client, LARGE)
    message = hub.next(fake_hub.PUT)
    message.take("Q")
    put_value = message.value()
    own = shared(put_value["segment"], put_value["size"], put_value["capacity"], brings=False)
    before = mappings()
    value = view(hub, client, own, None)
    assert bytes(value.pickled) == b"x" * LARGE
    assert mappings() == before
    hub.send(fake_hub.REUSABLE, ids(put_value["segment"]))
    client.poll()
    put(client, LARGE)  # Somebody looks at the memory yet.
    assert segment_of(hub.next(fake_hub.PUT)) != put_value["segment"]
    del value
    put(client, LARGE)
    assert segment_of(hub.next(fake_hub.PUT)) == put_value["segment"]


def mappings() -> int:
    with Path("/proc/self/maps").open() as lines:
        return sum("penstock-object" in line for line in lines)


def test_who_puts_much_waits_for_the_hub_to_have_room(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    def put_much() -> None:
        for _ in range(5):
            client.put(client.pack(b"", [pickle.PickleBuffer(block)], []))

    block = bytes(100 << 20)
    putting = later(put_much)
    for _ in range(2):
        hub.next(fake_hub.PUT)
        hub.next(fake_hub.PUT)
        message = hub.next(fake_hub.ASK)
        request = message.take("Q")
        assert message.text() == b"room"
        hub.send(fake_hub.TEXT, struct.pack("=Q", request) + text("null"))
    putting.result()
    hub.next(fake_hub.PUT)


def test_memory_that_was_never_sent_reads_as_a_lost_object(
    hub: FakeHub, client: _worker.Client
) -> None:
    value = view(hub, client, shared(99, 22, 4096, brings=False), None)
    assert (value.flags, value.code) == (SYSTEM_ERROR, 5)
    assert "never sent" in value.text


def test_bytes_that_are_no_objects_are_refused(hub: FakeHub, client: _worker.Client) -> None:
    for damaged in (b"", b"123", struct.pack("=IIQ", 0, 0, 5), struct.pack("=IIQ", 9, 0, 0)):
        value = view(hub, client, inline(damaged), None)
        with pytest.raises(RuntimeError, match="damaged"):
            _ = value.pickled
    beyond = struct.pack("=IIQQQ", 1, 0, 0, 30, 10)
    with pytest.raises(RuntimeError, match="damaged"):
        _ = view(hub, client, inline(beyond), None).buffers
