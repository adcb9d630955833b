"""What a client says to its hub, and what it makes of the answers."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import fake_hub
import pytest
from fake_hub import FakeHub, ids, inline, packed, shared, text

from penstock import _worker

SYSTEM_ERROR, ITEM, END = 2, 8, 16
LARGE = 100_000


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    yield hub
    hub.close()


@pytest.fixture
def later() -> Iterator[Callable[..., Future[Any]]]:
    """Call something that waits, in a thread."""
    with ThreadPoolExecutor(4) as threads:
        yield threads.submit


@pytest.fixture
def client(hub: FakeHub, later: object) -> Iterator[_worker.Client]:
    client = hub.connect()
    yield client
    client.close()


def submit(client: _worker.Client, *, given: tuple[int, ...] = (), **more: Any) -> int:
    chosen = {"kind": 0, "function": 5, "actor": 0, "method": "", "returns": 1, "options": ""}
    chosen.update(more)
    arguments = client.pack(b"arguments", [], [])
    return client.submit(**chosen, arguments=arguments, given=list(given))


def put(client: _worker.Client, size: int) -> int:
    return client.put(client.pack(b"x" * size, [], []))


def error(code: int, message: str) -> bytes:
    return inline(struct.pack("=I", code) + message.encode(), SYSTEM_ERROR)


# --- What it says.


def test_it_takes_its_number_and_the_facts_from_the_welcome(client: _worker.Client) -> None:
    assert client.number == fake_hub.NUMBER
    assert client.facts == "{}"


def test_ids_are_consecutive_and_carry_the_number(client: _worker.Client) -> None:
    first = client.new_ids(3)
    assert first >> 40 == fake_hub.NUMBER
    assert client.new_ids(1) == first + 3


def test_a_task_is_sent_at_once_with_all_that_it_is(hub: FakeHub, client: _worker.Client) -> None:
    arguments = client.pack(b"data", [], [77])
    task = client.submit(2, 0, 12, "method", 3, '{"a": 1}', arguments, [4, 5])
    message = hub.next(fake_hub.SUBMIT)
    assert message.take("QBQQ") == (task, 2, 0, 12)
    assert (message.text(), message.take("i"), message.text()) == (b"method", 3, b'{"a": 1}')
    assert message.take("Q") == 0
    assert message.value() == {"form": 1, "flags": 0, "bytes": packed(b"data"), "ids": [77]}
    assert message.ids() == [4, 5]
    assert message.at_end
    assert client.new_ids(1) == task + 4


def test_a_function_is_told_once(hub: FakeHub, client: _worker.Client) -> None:
    client.define(9, b"code")
    client.define(9, b"code")
    client.define(10, b"c" * LARGE)
    submit(client)
    message = hub.next(fake_hub.DEFINE)
    assert message.take("Q") == 9
    assert message.value()["bytes"] == b"code"
    message = hub.next(fake_hub.DEFINE)
    assert message.take("Q") == 10
    assert message.value()["size"] == LARGE
    assert os.pread(message.descriptors[0], LARGE, 0) == b"c" * LARGE
    hub.next(fake_hub.SUBMIT)


def test_the_last_reference_is_told_with_the_next_message(
    hub: FakeHub, client: _worker.Client
) -> None:
    task = submit(client, returns=2)
    hub.next(fake_hub.SUBMIT)
    client.hold(task + 1)
    client.release(task + 1)
    client.release(task + 1)
    client.release(task + 2)
    assert hub.has_sent_nothing()
    submit(client)
    hub.next(fake_hub.SUBMIT)
    assert hub.next(fake_hub.RELEASE).ids() == [task + 1, task + 2]


def test_the_first_reference_is_told_once_and_before_it_is_let_go(
    hub: FakeHub, client: _worker.Client
) -> None:
    client.hold(88)
    client.hold(88)
    client.release(88)
    client.release(88)
    submit(client)
    assert hub.next(fake_hub.HOLD).ids() == [88]
    hub.next(fake_hub.SUBMIT)
    assert hub.next(fake_hub.RELEASE).ids() == [88]


def test_a_reference_that_comes_back_is_not_told_of(hub: FakeHub, client: _worker.Client) -> None:
    task = submit(client)
    client.release(task + 1)
    client.hold(task + 1)
    submit(client)
    hub.next(fake_hub.SUBMIT)
    hub.next(fake_hub.SUBMIT)
    assert hub.has_sent_nothing()


def test_many_releases_and_those_of_much_memory_are_told_at_once(
    hub: FakeHub, client: _worker.Client
) -> None:
    task = submit(client, returns=64)
    hub.next(fake_hub.SUBMIT)
    for place in range(64):
        assert hub.has_sent_nothing()
        client.release(task + 1 + place)
    assert len(hub.next(fake_hub.RELEASE).ids()) == 64
    large = put(client, LARGE)
    hub.next(fake_hub.PUT)
    client.release(large)
    assert hub.next(fake_hub.RELEASE).ids() == [large]
    task = submit(client)
    hub.next(fake_hub.SUBMIT)
    client.release(task + 1, True)
    assert hub.next(fake_hub.RELEASE).ids() == [task + 1]


def test_the_maker_of_an_actor_holds_it(hub: FakeHub, client: _worker.Client) -> None:
    actor = client.new_ids(1)
    submit(client, kind=1, actor=actor)
    hub.next(fake_hub.SUBMIT)
    client.release(actor, True)
    assert hub.next(fake_hub.RELEASE).ids() == [actor]


def test_orders_are_sent_at_once(hub: FakeHub, client: _worker.Client) -> None:
    client.cancel(5, 3)
    assert hub.next(fake_hub.CANCEL).take("QI") == (5, 3)
    client.kill(6, True)
    assert hub.next(fake_hub.KILL).take("QI") == (6, 1)
    client.blocked()
    hub.next(fake_hub.BLOCKED)
    client.unblocked()
    hub.next(fake_hub.UNBLOCKED)


def test_a_message_larger_than_a_packet_goes_on_in_the_next(
    hub: FakeHub, client: _worker.Client
) -> None:
    contained = list(range(1, 30_001))
    client.put(client.pack(b"data", [], contained))
    message = hub.next(fake_hub.PUT)
    message.take("Q")
    assert message.value()["ids"] == contained
    values = [client.pack(b"x" * LARGE, [], []) for _ in range(150)]
    client.done(1, 0, values)
    message = hub.next(fake_hub.DONE)
    assert message.take("QII") == (1, 0, 150)
    segments = [message.value()["segment"] for _ in range(150)]
    assert len(set(segments)) == len(message.descriptors) == 150


def test_more_than_a_hub_takes_is_refused_and_nothing_is_sent(
    hub: FakeHub, client: _worker.Client
) -> None:
    with pytest.raises(ValueError, match="fewer objects and references"):
        client.put(client.pack(b"data", [], [1] * 9_000_000))
    assert hub.has_sent_nothing()


def test_a_sender_waits_for_room_and_loses_nothing(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    def submit_all() -> None:
        for _ in range(3000):
            submit(client, options="x" * 500)

    sending = later(submit_all)
    previous = 0
    for _ in range(3000):
        task = hub.next(fake_hub.SUBMIT).take("Q")
        assert task > previous
        previous = task
    sending.result()


# --- Shared memory.


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


def segment_of(message: fake_hub.Message) -> int:
    message.take("Q")
    value = message.value()
    assert value["brings"] == len(message.descriptors) == 1
    return int(value["segment"])


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
    with open("/proc/self/maps") as lines:
        return sum("penstock-object" in line for line in lines)


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


# --- What it waits for.


def test_values_come_in_the_order_asked_for(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got = later(client.get, [11, 12], None)
    message = hub.next(fake_hub.GET)
    request = message.take("Q")
    assert message.ids() == [11, 12]
    hub.send_value(request, inline(packed(b"second")), place=1)
    hub.send_value(request, inline(packed(b"first")), place=0)
    assert [bytes(value.pickled) for value in got.result()] == [b"first", b"second"]
    assert client.get([], None) == []


def test_the_first_error_ends_a_get(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got = later(client.get, [11, 12, 13], None)
    request = hub.next(fake_hub.GET).take("Q")
    hub.send_value(request, error(2, "it died"), place=1)
    first, second, third = got.result()
    assert first is third is None
    assert (second.flags, second.code, second.text) == (SYSTEM_ERROR, 2, "it died")
    assert hub.next(fake_hub.DROP).take("Q") == request


def answer_fence(hub: FakeHub) -> None:
    fence = hub.next(fake_hub.WAIT).take("Q")
    hub.next(fake_hub.HURRY)
    hub.send(fake_hub.READY, struct.pack("=QI", fence, 0))


def test_a_get_that_times_out_returns_nothing_and_is_dropped(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got = later(client.get, [11], 0.01)
    request = hub.next(fake_hub.GET).take("Q")
    answer_fence(hub)
    assert got.result() is None
    assert hub.next(fake_hub.DROP).take("Q") == request


def test_a_get_without_patience_has_what_is_there(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got = later(client.get, [11], 0)
    request = hub.next(fake_hub.GET).take("Q")
    hub.send_value(request, inline(packed(b"there")))
    answered = hub.next_of_any_kind()  # A fence, unless the value was there at once.
    hub.send(fake_hub.READY, struct.pack("=QI", answered.take("Q"), 0))
    assert bytes(got.result()[0].pickled) == b"there"


def test_a_value_that_nobody_waits_for_is_let_go(hub: FakeHub, client: _worker.Client) -> None:
    memory = os.memfd_create("object")
    os.ftruncate(memory, 4096)
    hub.send_value(1234, shared(99, 22, 4096, brings=True), descriptors=[memory])
    os.close(memory)
    hub.send_value(1234, inline(struct.pack("=Q", 555), ITEM))
    client.poll()
    put(client, 1)
    hub.next(fake_hub.PUT)
    assert sorted(hub.counted) == [(fake_hub.RELEASE, [555])]
    assert hub.next(fake_hub.UNMAPPED).ids() == [99]


def test_wait_returns_the_places_that_are_ready(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    found = later(client.wait, [11, 12, 13], 2, None)
    message = hub.next(fake_hub.WAIT)
    request, enough = message.take("QI")
    assert (enough, message.ids()) == (2, [11, 12, 13])
    hub.send(fake_hub.READY, struct.pack("=QIII", request, 2, 0, 2))
    assert found.result() == [0, 2]


@pytest.mark.parametrize("timeout_s", [0, 0.01])
def test_wait_hurries_the_hub_at_the_timeout(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]], timeout_s: float
) -> None:
    found = later(client.wait, [11, 12], 2, timeout_s)
    request = hub.next(fake_hub.WAIT).take("Q")
    assert hub.next(fake_hub.HURRY).take("Q") == request
    hub.send(fake_hub.READY, struct.pack("=QII", request, 1, 1))
    assert found.result() == [1]


def test_an_item_is_held_by_who_asked_for_it(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got = later(client.next_item, 21, None)
    request, generator = hub.next(fake_hub.NEXT).take("QQ")
    assert generator == 21
    hub.send_value(request, inline(struct.pack("=Q", 555), ITEM))
    item = got.result()
    assert (item.flags, item.item) == (ITEM, 555)
    client.release(555, True)
    assert hub.next(fake_hub.RELEASE).ids() == [555]
    got = later(client.next_item, 21, None)
    request = hub.next(fake_hub.NEXT).take("Q")
    hub.send_value(request, struct.pack("=BB", 0, END))
    assert got.result().flags == END


def test_an_item_that_is_not_there_in_time_is_left(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got = later(client.next_item, 21, 0.01)
    request = hub.next(fake_hub.NEXT).take("Q")
    assert hub.next(fake_hub.HURRY).take("Q") == request
    hub.send_value(request, struct.pack("=BB", 0, 0))
    assert got.result() is None


def test_questions_are_answered(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    told = later(client.ask, "resources")
    message = hub.next(fake_hub.ASK)
    request = message.take("Q")
    assert message.text() == b"resources"
    hub.send(fake_hub.TEXT, struct.pack("=Q", request) + text("{}"))
    assert told.result() == "{}"
    found = later(client.find_actor, "space", "name")
    message = hub.next(fake_hub.FIND_ACTOR)
    request = message.take("Q")
    assert (message.text(), message.text()) == (b"space", b"name")
    hub.send(fake_hub.ACTOR, struct.pack("=QQ", request, 31) + text("{1}") + text(""))
    assert found.result() == (31, "{1}")


def test_a_named_actor_is_held_if_it_is_the_one_that_was_made(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    def create() -> tuple[int, str, str]:
        arguments = client.pack(b"", [], [])
        return client.create_named(1, 5, actor, "", 1, "{}", arguments, [])

    for is_new in (True, False):
        actor = client.new_ids(1)
        made = later(create)
        message = hub.next(fake_hub.SUBMIT)
        message.take("QBQQ")
        message.text(), message.take("i"), message.text()
        request = message.take("Q")
        assert request
        number = actor if is_new else 777
        hub.send(fake_hub.ACTOR, struct.pack("=QQ", request, number) + text("{}") + text(""))
        assert made.result() == (number, "{}", "")
        client.release(actor, True)
        assert is_new is not hub.has_sent_nothing()
        if is_new:
            assert hub.next(fake_hub.RELEASE).ids() == [actor]


def test_a_callback_is_called_once_by_whoever_reads(hub: FakeHub, client: _worker.Client) -> None:
    got: list[bytes] = []
    client.when_ready(3, lambda value: got.append(bytes(value.pickled)))
    request = hub.next(fake_hub.GET).take("Q")
    hub.send_value(request, inline(packed(b"ready")))
    hub.send_value(request, inline(packed(b"again")))
    client.poll()
    assert got == [b"ready"]


def test_a_callback_may_wait_itself(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    got: list[Any] = []
    client.when_ready(3, lambda _value: got.append(client.ask("more")))
    hub.send_value(hub.next(fake_hub.GET).take("Q"), inline(packed(b"ready")))
    polling = later(client.poll)
    request = hub.next(fake_hub.ASK).take("Q")
    hub.send(fake_hub.TEXT, struct.pack("=Q", request) + text("answer"))
    polling.result()
    assert got == ["answer"]


def test_what_a_callback_raises_stops_nobody(
    hub: FakeHub, client: _worker.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_value))
    client.when_ready(3, lambda _value: 1 / 0)
    hub.send_value(hub.next(fake_hub.GET).take("Q"), inline(packed(b"ready")))
    client.poll()
    (raised,) = seen
    assert isinstance(raised, ZeroDivisionError)


def test_callbacks_that_are_never_called_are_let_go(hub: FakeHub) -> None:
    class Callback:
        def __call__(self, value: object) -> None:
            gone.append("called")

        def __del__(self) -> None:
            gone.append("gone")

    gone: list[str] = []
    client = hub.connect()
    client.when_ready(3, Callback())
    gc.collect()
    assert not gone
    client.close()
    assert gone == ["gone"]


def test_serving_reads_for_others_until_the_end(
    hub: FakeHub, later: Callable[..., Future[Any]]
) -> None:
    client = hub.connect()
    serving = later(client.serve)
    called = threading.Event()
    client.when_ready(3, lambda _value: called.set())
    hub.send_value(hub.next(fake_hub.GET).take("Q"), inline(packed(b"ready")))
    assert called.wait(20)
    asking = later(client.ask, "x")
    hub.send(fake_hub.TEXT, struct.pack("=Q", hub.next(fake_hub.ASK).take("Q")) + text("y"))
    assert asking.result() == "y"
    client.close()
    serving.result()


def test_many_threads_wait_at_once_and_each_has_its_own(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    waits = {}
    for number in range(4):
        asking = later(client.ask, str(number))
        message = hub.next(fake_hub.ASK)
        request = message.take("Q")
        waits[request] = (message.text(), asking)
    for request, (what, asking) in reversed(waits.items()):
        hub.send(fake_hub.TEXT, struct.pack("=Q", request) + text(what))
        assert asking.result() == what.decode()


# --- How it ends.


class AlarmError(Exception):
    pass


def test_a_signal_ends_the_wait_of_the_main_thread(hub: FakeHub, client: _worker.Client) -> None:
    def ring(*_unused: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(AlarmError):
            client.get([11], None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    request = hub.next(fake_hub.GET).take("Q")
    assert hub.next(fake_hub.DROP).take("Q") == request


def test_a_signal_ends_the_wait_while_another_thread_reads(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    def ring(*_unused: object) -> None:
        raise AlarmError

    asking = later(client.ask, "x")
    request = hub.next(fake_hub.ASK).take("Q")
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(AlarmError):
            client.get([11], None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    hub.send(fake_hub.TEXT, struct.pack("=Q", request) + text("y"))
    assert asking.result() == "y"


def test_whoever_waits_hears_of_the_hubs_end(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    waits = [later(client.get, [11], None), later(client.wait, [11], 1, None)]
    for _ in waits:
        hub.next_of_any_kind()
    hub.close()
    for wait in waits:
        with pytest.raises(ConnectionError, match="has ended"):
            wait.result()
    with pytest.raises(ConnectionError, match="has ended"):
        submit(client)
    client.release(5)


def test_a_closed_client_says_so(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    waiting = later(client.get, [11], None)
    hub.next(fake_hub.GET)
    client.close()
    with pytest.raises(ConnectionError, match="was closed"):
        waiting.result()
    for call in (lambda: submit(client), lambda: client.get([1], None), lambda: client.ask("x")):
        with pytest.raises(ConnectionError, match="was closed"):
            call()
    client.close()


def test_a_hub_that_sends_something_else_is_left(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    waiting = later(client.get, [11], None)
    hub.next(fake_hub.GET)
    hub.send(9999, b"")
    with pytest.raises((RuntimeError, ConnectionError)):
        waiting.result()
    with pytest.raises(ConnectionError):
        client.ask("x")


def test_a_forked_process_has_no_part_in_it(hub: FakeHub, client: _worker.Client) -> None:
    submit(client)
    hub.next(fake_hub.SUBMIT)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            client.release(5)
            submit(client)
        except RuntimeError as refused:
            os.write(writing, str(refused).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with open(reading) as told:
        assert "was forked" in told.read()
    assert hub.has_sent_nothing()
    submit(client)
    hub.next(fake_hub.SUBMIT)
