"""How waits and connections end."""

from __future__ import annotations

import os
import signal
import struct
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from client_calls import submit
from fake_hub import FakeHub, text

from penstock import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from penstock import _worker


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
        with pytest.raises(exceptions.RuntimeEndedError, match="has ended"):
            wait.result()
    with pytest.raises(exceptions.RuntimeEndedError, match="has ended"):
        submit(client)
    client.release(5)


def test_a_closed_client_says_so(
    hub: FakeHub, client: _worker.Client, later: Callable[..., Future[Any]]
) -> None:
    waiting = later(client.get, [11], None)
    hub.next(fake_hub.GET)
    client.close()
    with pytest.raises(exceptions.RuntimeEndedError, match="was closed"):
        waiting.result()
    for call in (lambda: submit(client), lambda: client.get([1], None), lambda: client.ask("x")):
        with pytest.raises(exceptions.RuntimeEndedError, match="was closed"):
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
    with pytest.raises(exceptions.RuntimeEndedError):
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
    with os.fdopen(reading) as told:
        assert "was forked" in told.read()
    assert hub.has_sent_nothing()
    submit(client)
    hub.next(fake_hub.SUBMIT)
