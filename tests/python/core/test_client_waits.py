"""What a client makes of what its hub answers."""

from __future__ import annotations

import gc
import os
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from client_calls import END, ITEM, SYSTEM_ERROR, error, put
from fake_hub import FakeHub, inline, packed, shared, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from penstock import _worker


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
    assert (enough, message.ids(), message.take("Q")) == (2, [11, 12, 13], 0)
    hub.send(fake_hub.READY, struct.pack("=QIII", request, 2, 0, 2))
    assert found.result() == ([0, 2], None)


def test_a_wait_that_would_never_end_is_told_so(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    found = later(client.wait, [11, 12], 2, None, 77)
    message = hub.next(fake_hub.WAIT)
    request, _ = message.take("QI")
    message.ids()
    assert message.take("Q") == 77
    hub.send_value(request, inline(struct.pack("=I", 11) + b"never", SYSTEM_ERROR))
    places, error = found.result()
    assert (places, error.code, error.text) == ([], 11, "never")


@pytest.mark.parametrize("timeout_s", [0, 0.01])
def test_wait_hurries_the_hub_at_the_timeout(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]], timeout_s: float
) -> None:
    found = later(client.wait, [11, 12], 2, timeout_s)
    request = hub.next(fake_hub.WAIT).take("Q")
    assert hub.next(fake_hub.HURRY).take("Q") == request
    hub.send(fake_hub.READY, struct.pack("=QII", request, 1, 1))
    assert found.result() == ([1], None)


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


def test_a_cancellation_by_force_waits_for_the_hub_s_word(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    told = later(client.cancel, 5, 3)
    cancelled, flags, request = hub.next(fake_hub.CANCEL).take("QIQ")
    assert (cancelled, flags) == (5, 3)
    hub.send(fake_hub.TEXT, struct.pack("=Q", request) + text("it may not"))
    assert told.result() == "it may not"


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
