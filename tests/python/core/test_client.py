"""What a client says to its hub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from client_calls import LARGE, put, submit
from fake_hub import FakeHub, packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from penstock import _worker


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
    assert not hub.counted


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
    assert not client.cancel(5, 2)
    assert hub.next(fake_hub.CANCEL).take("QIQ") == (5, 2, 0)
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
