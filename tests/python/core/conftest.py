"""A runtime for the tests of a module, and gates that tasks wait at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest
from fake_hub import FakeHub
from named_pipes import Gate
from round_trip import Carrier
from task_worker import TaskWorker

import penstock
from penstock.core import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from penstock import _worker


@pytest.fixture(scope="module")
def runtime() -> Iterator[None]:
    penstock.shutdown()
    penstock.init(num_cpus=2, resources={"seat": 2})
    yield
    penstock.shutdown()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


@pytest.fixture
def second_gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "second_gate")


@pytest.fixture(scope="module")
def shared_worker() -> Iterator[TaskWorker]:
    with TaskWorker() as worker:
        yield worker
        assert worker.stop() == 0


@pytest.fixture
def worker(shared_worker: TaskWorker) -> TaskWorker:
    return shared_worker


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


@pytest.fixture
def carrier(hub: FakeHub, client: _worker.Client, monkeypatch: pytest.MonkeyPatch) -> Carrier:
    monkeypatch.setattr(connection, "_client", client)
    return Carrier(hub, client)


@pytest.fixture(scope="module")
def sent_by_value(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have what a test module defines travel to workers without their importing it."""
    cloudpickle.register_pickle_by_value(request.module)
    yield
    cloudpickle.unregister_pickle_by_value(request.module)
