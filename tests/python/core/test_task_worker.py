"""What a worker makes of the tasks that it is sent."""

from __future__ import annotations

import os
import re
import struct
import sys
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from fake_hub import FakeHub, inline, shared
from named_pipes import Gate, wait_at
from task_worker import (
    FAILED,
    RETRY_WANTED,
    Result,
    TaskWorker,
    arguments_of,
    load,
    object_bytes,
)

from penstock import exceptions
from penstock.core import serialization
from penstock.core.references import ObjectRef
from penstock.core.serialization import Given
from penstock.worker import failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("sent_by_value")


def double(value: int) -> int:
    return 2 * value


# --- Functions.


def test_a_function_is_called_and_its_result_sent(worker: TaskWorker) -> None:
    assert worker.run(double, 21).objects() == [42]
    assert worker.run(lambda: None).objects() == [None]


def test_tasks_that_come_together_are_answered_in_order(worker: TaskWorker) -> None:
    function = worker.define(double)
    sent = [worker.send(function, n) for n in range(20)]
    results = [worker.result() for _ in sent]
    assert [result.task for result in results] == sent
    assert [result.objects() for result in results] == [[2 * n] for n in range(20)]


def test_given_values_take_the_places_of_references(worker: TaskWorker) -> None:
    def concatenate(left: str, right: str, *, end: str) -> str:
        return left + right + end

    call = inline(object_bytes((("a", Given(1)), {"end": Given(0)})))
    given = (inline(object_bytes("first")), inline(object_bytes("second")))
    worker.send_with(worker.define(concatenate), call, given=given)
    assert worker.result().objects() == ["asecondfirst"]


def test_the_error_of_a_given_value_becomes_the_tasks(worker: TaskWorker) -> None:
    packed = failure.pack(ValueError("upstream"), function="up")
    worker.send(worker.define(double), 1, given=(inline(fake_hub.packed(packed), 1),))
    told = worker.result()
    assert told.flags == FAILED
    assert told.failure().function == "up"
    assert isinstance(told.failure().exception, ValueError)
    died = struct.pack("=I", 2) + b"it died"
    worker.send(worker.define(double), 1, given=(inline(died, 2),))
    assert isinstance(worker.result().failure().exception, exceptions.ActorDiedError)


def test_several_results_are_sent_one_by_one(worker: TaskWorker) -> None:
    assert worker.run(lambda: (1, "two"), returns=2).objects() == [1, "two"]
    assert worker.run(lambda: [1, 2, 3], returns=3).objects() == [1, 2, 3]
    assert worker.run(lambda: "dropped", returns=0).objects() == []


def test_the_wrong_number_of_results_is_a_value_error(worker: TaskWorker) -> None:
    told = worker.run(lambda: (1, 2), returns=3).failure()
    assert isinstance(told.exception, ValueError)
    assert "returned 2 objects, but num_returns=3" in str(told.exception)
    assert "returned a int" in str(worker.run(lambda: 5, returns=2).failure().exception)


def items_of(worker: TaskWorker, function: Any, *args: Any) -> tuple[list[Any], Result]:
    worker.send(worker.define(function), *args, returns=-1)
    items = []
    while True:
        message = worker.hub.next_of_any_kind()
        if message.kind == fake_hub.DONE:
            return items, Result(message)
        assert message.kind == fake_hub.YIELD
        message.take("QQ")
        items.append(load(message.value()))


def test_a_generator_sends_each_item_as_it_comes(worker: TaskWorker, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")

    def count(path: str) -> Iterator[int]:
        yield 1
        wait_at(path)
        yield 2

    task = worker.send(worker.define(count), gate.path, returns=-1)
    first = worker.hub.next(fake_hub.YIELD)
    assert first.take("QQ")[0] == task
    assert load(first.value()) == 1
    gate.open()
    worker.hub.next(fake_hub.YIELD)
    assert worker.result().objects() == []


def test_a_generator_that_raises_has_sent_what_came_before(worker: TaskWorker) -> None:
    def count() -> Iterator[int]:
        yield 1
        raise KeyError("second")

    items, told = items_of(worker, count)
    assert items == [1]
    assert isinstance(told.failure().exception, KeyError)
    _, told = items_of(worker, lambda: 5)
    assert "must be a generator" in str(told.failure().exception)
    assert items_of(worker, lambda: iter("ab"))[0] == ["a", "b"]


def test_an_exception_comes_with_the_users_frames_alone(worker: TaskWorker) -> None:
    def inner(value: int) -> float:
        return 1 / value

    def outer() -> float:
        return inner(0)

    told = worker.run(outer)
    assert told.flags == FAILED
    raised = told.failure()
    assert raised.function == "outer"
    assert re.findall(r", in (\w+)", raised.traceback) == ["outer", "inner"]


@pytest.mark.parametrize(
    ("retries", "wanted"),
    [(True, RETRY_WANTED), (False, 0), ([ZeroDivisionError], RETRY_WANTED), ([KeyError], 0)],
)
def test_the_definition_says_which_exceptions_are_tried_again(
    worker: TaskWorker, retries: Any, wanted: int
) -> None:
    worker.send(worker.define(lambda: 1 / 0, retry_exceptions=retries))
    assert worker.result().flags == FAILED | wanted


def test_an_exit_of_a_function_is_its_failure(worker: TaskWorker) -> None:
    assert isinstance(worker.run(lambda: sys.exit(3)).failure().exception, SystemExit)


def test_a_result_that_cannot_be_pickled_is_the_tasks_failure(worker: TaskWorker) -> None:
    def lock() -> Any:
        import threading

        return threading.Lock()

    told = worker.run(lock).failure()
    assert isinstance(told.exception, TypeError)
    assert "cannot be sent to another process" in str(told.exception)


def test_a_function_that_cannot_be_unpickled_is_the_tasks_failure(worker: TaskWorker) -> None:
    class Broken:
        def __reduce__(self) -> Any:
            return (exec, ("raise ImportError('not here')",))

    broken = Broken()
    told = worker.run(lambda: broken).failure()
    assert isinstance(told.exception, ImportError)


def test_a_child_that_a_function_forks_answers_nothing(worker: TaskWorker) -> None:
    def fork() -> int:
        child = os.fork()
        return os.waitpid(child, 0)[1] if child else -1

    assert worker.run(fork).objects() == [0]
    assert worker.run(double, 1).objects() == [2]


def test_references_in_a_result_are_told_with_it(worker: TaskWorker) -> None:
    def make() -> Any:
        return {"inside": ObjectRef(4242)}

    result = worker.run(make)
    assert result.values[0]["ids"] == [4242]
    assert (fake_hub.HOLD, [4242]) in worker.hub.counted


def test_a_task_knows_what_it_is(worker: TaskWorker) -> None:
    def tell() -> Any:
        from penstock.worker import current

        return current.task(), os.environ.get("CUDA_VISIBLE_DEVICES")

    task = worker.send_with(
        worker.define(tell), arguments_of(), options={"label": "teller"}, devices="1,2", attempt=3
    )
    ((record, devices),) = worker.result().objects()
    assert (record.task_id, record.task_name, record.actor_id) == (task, "teller", 0)
    assert (record.attempt, record.devices, record.worker) == (3, "1,2", 41)
    assert devices == "1,2"


def test_arguments_in_shared_memory_are_views_and_are_given_back(worker: TaskWorker) -> None:
    import numpy as np

    def total(array: Any) -> Any:
        assert not array.flags.writeable
        return float(array.sum())

    hub = FakeHub()
    client = hub.connect()
    client.put(serialization.dumps(client, ((np.ones(10_000),), {})))
    message = hub.next(fake_hub.PUT)
    message.take("Q")
    put = message.value()
    arguments = shared(99, put["size"], put["capacity"], brings=True)
    worker.send_with(worker.define(total), arguments, descriptors=message.descriptors)
    assert worker.result().objects() == [10_000.0]
    assert worker.hub.next(fake_hub.UNMAPPED).ids() == [99]
    client.close()
    hub.close()


# --- The process.


def test_a_worker_whose_hub_is_gone_ends() -> None:
    with TaskWorker() as worker:
        worker.run(double, 1)
        worker.hub.close()
        assert worker.wait() == 0


def test_a_working_directory_is_where_tasks_run_and_import(tmp_path: Path) -> None:
    (tmp_path / "lives_here.py").write_text("VALUE = 7")

    def look() -> Any:
        from pathlib import Path

        import lives_here  # type: ignore[import-not-found]

        return Path.cwd(), lives_here.VALUE

    with TaskWorker(working_dir=str(tmp_path)) as worker:
        assert worker.run(look).objects() == [(tmp_path, 7)]
        assert worker.stop() == 0
