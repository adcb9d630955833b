"""Asynchronous functions in a worker: several at once, answered in order."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import sys

import cloudpickle
import engine as host
import numpy as np
import pytest
from engine import Engine, Step, pack, run, setup_of

from penstock.worker import batches, current
from penstock.worker.async_rows import bad_row

# As a script's functions do: by value, so that workers do not import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def columns_of(answer):
    return {name: list(values) for name, values in batches.to_numpy(answer.table()).items()}


def rows(count):
    return {"x": np.arange(count)}


class Meeting:
    """Lets a call end only when so many are under way: fewer at once would wait for ever."""

    def __init__(self, parties):
        self.parties = parties
        self.there = 0
        self.most = 0
        self.all_there = asyncio.Event()

    async def attend(self):
        self.there += 1
        self.most = max(self.most, self.there)
        if self.there == self.parties:
            self.all_there.set()
        await self.all_there.wait()
        for _ in range(10):
            await asyncio.sleep(0)  # Whoever may begin beside these does so now.
        self.there -= 1


class MeetingBatches:
    def __init__(self):
        self.meeting = Meeting(4)

    async def __call__(self, batch):
        await self.meeting.attend()
        return {"x": batch["x"], "most": [self.meeting.most]}


def test_four_batches_are_under_way_at_once_and_no_more():
    with Engine(setup_of(Step(MeetingBatches))) as engine:
        for batch in range(5):  # All are there when the first begins.
            engine.send_batch(batch, pack({"x": [batch]}))
        engine.expect(host.READY)
        answers = [engine.expect(host.OUTPUT) for _ in range(5)]
        assert [answer.frame.batch for answer in answers] == list(range(5))
        assert [columns_of(answer)["x"] for answer in answers] == [[n] for n in range(5)]
        assert columns_of(answers[-1])["most"] == [4]
        assert engine.stop() == 0


class Blocks:
    """Holds the thread until the test says that it may go on."""

    def __init__(self, pipe):
        self.allowed = os.open(pipe, os.O_RDWR)

    async def __call__(self, batch):
        os.read(self.allowed, 1)
        return batch


def test_a_call_that_blocks_is_answered_before_the_next_begins(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    allowing = os.open(tmp_path / "pipe", os.O_RDWR)
    with Engine(
        setup_of(Step(Blocks, options={"constructor_args": [tmp_path / "pipe"]}))
    ) as engine:
        for batch in range(4):  # All are there when the first begins.
            engine.send_batch(batch, pack({"x": [batch]}))
        engine.expect(host.READY)
        try:
            for batch in range(4):
                os.write(allowing, b"!")
                assert columns_of(engine.expect(host.OUTPUT))["x"] == [batch]
        finally:
            os.write(allowing, b"!!!!")  # Whatever became of it, the worker can end.
        assert engine.stop() == 0
    os.close(allowing)


async def numbered(batch):
    await asyncio.sleep(0)  # The others begin.
    return {"number": [current.running.batch_number]}


async def numbered_parts(batch):
    yield {"number": [current.running.batch_number]}


@pytest.mark.parametrize("function", [numbered, numbered_parts])
def test_each_call_knows_its_own_batch_s_number(function):
    with Engine(setup_of(Step(function))) as engine:
        for batch in range(3):
            engine.send_batch(batch + 5, pack({"x": [batch]}))
        engine.expect(host.READY)
        numbers = []
        for _ in range(3):
            numbers += columns_of(engine.expect(host.OUTPUT))["number"]
        assert numbers == [5, 6, 7]


class Backwards:
    """Each batch ends only after the one behind it."""

    def __init__(self, count):
        self.ended = [asyncio.Event() for _ in range(count + 1)]
        self.ended[count].set()

    async def __call__(self, batch):
        number = int(batch["x"][0])
        await self.ended[number + 1].wait()
        self.ended[number].set()
        return batch


def test_batches_that_end_out_of_order_are_answered_in_order():
    with Engine(setup_of(Step(Backwards, options={"constructor_args": [4]}))) as engine:
        engine.expect(host.READY)
        for batch in range(4):
            engine.send_batch(batch, pack({"x": [batch]}))
        answers = [engine.expect(host.OUTPUT) for _ in range(4)]
        assert [columns_of(answer)["x"] for answer in answers] == [[0], [1], [2], [3]]
        assert all(not answer.frame.flags & host.MORE for answer in answers)


async def parts(batch):
    for value in batch["x"]:
        await asyncio.sleep(0)
        yield {"x": [value]}


def values_of(answers):
    """Return the values of all outputs; the end may come with the last, or alone."""
    return [columns_of(each)["x"] for each in answers if each.frame.kind != host.DONE]


def test_an_async_generator_gives_its_outputs_one_by_one():
    assert values_of(run(rows(3), Step(parts))) == [[0], [1], [2]]


def test_async_generators_of_several_batches_keep_their_order():
    with Engine(setup_of(Step(parts))) as engine:
        engine.expect(host.READY)
        for batch in range(3):
            engine.send_batch(batch, pack({"x": [10 * batch, 10 * batch + 1]}))
        answers = []
        for batch in range(3):
            answers.append(engine.expect(host.OUTPUT))
            while answers[-1].frame.kind == host.OUTPUT and answers[-1].frame.flags & host.MORE:
                engine.grant(batch)
                answers.append(engine.receive())
            assert answers[-1].frame.batch == batch
        assert values_of(answers) == [[0], [1], [10], [11], [20], [21]]


async def failing_half_way(batch):
    yield {"x": batch["x"][:1]}
    raise RuntimeError("half way")


def test_an_async_generator_that_raises_half_way_gives_what_it_had_and_then_the_error():
    first, failed = run(rows(2), Step(failing_half_way))
    assert columns_of(first) == {"x": [0]}
    assert first.frame.flags & host.MORE
    failure = failed.failure()
    assert (failed.frame.kind, failure.function) == (host.FAILED, "failing_half_way")
    assert "half way" in failure.text()
    assert "async_batches" not in failure.text()


async def odd_fail(batch):
    await asyncio.sleep(0)
    if batch["x"][0] % 2:
        raise ValueError(f"bad {batch['x'][0]}")
    return batch


def test_an_error_ends_its_own_batch_alone():
    with Engine(setup_of(Step(odd_fail))) as engine:
        engine.expect(host.READY)
        for batch in range(4):
            engine.send_batch(batch, pack({"x": [batch]}))
        answers = [engine.receive() for _ in range(4)]
        kinds = [answer.frame.kind for answer in answers]
        assert kinds == [host.OUTPUT, host.FAILED] * 2
        assert [answer.frame.batch for answer in answers] == [0, 1, 2, 3]
        assert str(answers[3].failure().exception) == "bad 3"
        assert engine.stop() == 0


async def asleep(batch):
    await asyncio.Event().wait()


def test_a_worker_whose_calls_never_end_leaves_when_the_engine_is_gone():
    with Engine(setup_of(Step(asleep))) as engine:
        engine.expect(host.READY)
        engine.send_batch(0, pack(rows(1)))
    assert engine.wait() == 0


async def exits(batch):
    sys.exit(3)


def test_an_exit_in_a_coroutine_is_an_error_of_its_batch():
    (failed,) = run(rows(1), Step(exits))
    assert failed.frame.kind == host.FAILED
    assert isinstance(failed.failure().exception, SystemExit)


async def starts_a_task_that_exits(batch):
    await asyncio.create_task(exits(batch))


async def starts_a_task_that_exits_for_a_row(row):
    await asyncio.gather(exits(row))


def test_an_exit_in_a_task_that_a_coroutine_started_is_an_error_of_its_batch():
    for steps in (
        [Step(starts_a_task_that_exits)],
        [Step(starts_a_task_that_exits_for_a_row, "row")],
        [Step(add_one, "row"), Step(starts_a_task_that_exits)],
    ):
        (failed,) = run(rows(1), *steps)
        assert failed.frame.kind == host.FAILED
        assert isinstance(failed.failure().exception, SystemExit)


class Closed:
    """A generator that notes, when it ends early, that it could end in its own way."""

    def __init__(self, note, wrong):
        self.note = note
        self.wrong = wrong

    async def __call__(self, batch):
        try:
            while True:
                yield {"x": [1]}
                yield self.wrong
        finally:
            await asyncio.sleep(0)
            self.note.write_text("closed")


@pytest.mark.parametrize("kind", ["batches", "flat_row"])
def test_an_async_generator_whose_outputs_are_refused_is_closed(kind, tmp_path):
    options = {"constructor_args": [tmp_path / "note", 3]}
    with Engine(setup_of(Step(Closed, kind, options=options))) as engine:
        engine.expect(host.READY)
        engine.send_batch(0, pack(rows(1)))
        answer = engine.receive()
        while answer.frame.kind != host.FAILED:
            engine.grant(0)
            answer = engine.receive()
        assert (tmp_path / "note").read_text() == "closed"


def test_calls_that_are_under_way_when_the_engine_is_gone_can_end_in_their_own_way(tmp_path):
    options = {"constructor_args": [tmp_path / "note", {"x": [2]}]}
    with Engine(setup_of(Step(Closed, options=options))) as engine:
        engine.expect(host.READY)
        engine.send_batch(0, pack(rows(1)))
        engine.expect(host.OUTPUT)  # The next outputs wait for room.
    assert engine.wait() == 0
    assert (tmp_path / "note").read_text() == "closed"


async def never_waits(batch):
    return {"x": batch["x"] + 1}


def hidden(batch):
    return never_waits(batch)


class Fetcher:
    async def fetch(self, batch, more=0):
        await asyncio.sleep(0)
        return {"x": batch["x"] + 1 + more}


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@pytest.mark.parametrize(
    "function",
    [
        never_waits,
        Fetcher().fetch,
        functools.partial(Fetcher().fetch, more=0),
        decorated(never_waits),
        hidden,
    ],
    ids=["never waits", "method", "partial", "decorated", "hidden"],
)
def test_every_form_of_a_coroutine_is_waited_for(function):
    (answer,) = run(rows(2), Step(function))
    assert columns_of(answer) == {"x": [1, 2]}


def test_arguments_go_to_coroutines_too():
    (answer,) = run(rows(2), Step(Fetcher().fetch, options={"kwargs": {"more": 5}}))
    assert columns_of(answer) == {"x": [6, 7]}


@pytest.mark.parametrize("result", [None, 3, "text", [1]])
def test_a_coroutine_that_returns_the_wrong_thing_says_what_came(result):
    async def wrong(batch):
        return result

    (failed,) = run(rows(1), Step(wrong))
    assert failed.frame.flags & host.BAD_RETURN
    assert "The function wrong returned" in failed.failure().text()


def test_a_promise_to_keep_the_rows_is_checked_of_coroutines_and_async_generators():
    async def fewer(batch):
        return {"x": batch["x"][:1]}

    async def fewer_parts(batch):
        yield {"x": batch["x"][:1]}

    (failed,) = run(rows(2), Step(fewer, keeps_rows=True))
    assert "wanted: 2 rows; got: 1" in failed.failure().text()
    *_, failed = run(rows(2), Step(fewer_parts, keeps_rows=True))
    assert "wanted: 2 rows; got: 1" in failed.failure().text()


class MeetingRows:
    def __init__(self, parties):
        self.meeting = Meeting(parties)

    async def __call__(self, row):
        await self.meeting.attend()
        return {"x": row["x"], "most": self.meeting.most}


def test_sixteen_rows_of_a_batch_are_under_way_at_once_and_no_more():
    options = {"constructor_args": [16]}
    (answer,) = run(rows(20), Step(MeetingRows, kind="row", options=options))
    columns = columns_of(answer)
    assert columns["x"] == list(range(20))
    assert max(columns["most"]) == 16


class BackwardsRows(Backwards):
    async def __call__(self, row):
        await self.ended[row["x"] + 1].wait()
        self.ended[row["x"]].set()
        return row


def test_rows_that_end_out_of_order_keep_their_order():
    options = {"constructor_args": [10]}
    (answer,) = run(rows(10), Step(BackwardsRows, kind="row", options=options))
    assert columns_of(answer)["x"] == list(range(10))


async def even(row):
    await asyncio.sleep(0)
    return row["x"] % 2 == 0


async def twice(row):
    for _ in range(2):
        await asyncio.sleep(0)
        yield {"x": row["x"]}


async def listed_twice(row):
    return [row, row]


def add_one(row):
    return {"x": row["x"] + 1}


def test_rows_go_through_asynchronous_and_other_functions_in_one_chain():
    (answer,) = run(
        rows(4), Step(even, kind="filter_row"), Step(twice, kind="flat_row"), Step(add_one, "row")
    )
    assert columns_of(answer) == {"x": [1, 1, 3, 3]}
    (answer,) = run(rows(2), Step(listed_twice, kind="flat_row"))
    assert columns_of(answer) == {"x": [0, 0, 1, 1]}


def test_asynchronous_filters_keep_columns_that_are_not_plain():
    (answer,) = run({"x": np.arange(4), "nested": [[0], [1], [2], [3]]}, Step(even, "filter_row"))
    columns = columns_of(answer)
    assert columns["x"] == [0, 2]
    assert [list(value) for value in columns["nested"]] == [[0], [2]]


class FailsLaterRowFirst:
    def __init__(self):
        self.later = asyncio.Event()
        self.stuck = asyncio.Event()

    async def __call__(self, row):
        if row["x"] == 5:
            await self.stuck.wait()
            self.later.set()
            raise ValueError("row five")
        if row["x"] == 3:
            await self.later.wait()
            await asyncio.sleep(0)
            raise KeyError("row three")
        if row["x"] == 7:
            self.stuck.set()
            await asyncio.Event().wait()  # Cancelled, or the batch would never end.
        return row


class FailsBeforeOneThatNeverEnds:
    async def __call__(self, row):
        if row["x"] == 5:
            raise ValueError("row five")
        if row["x"] == 7:
            await asyncio.Event().wait()
        return row


def test_no_row_is_begun_after_one_has_failed():
    (failed,) = run(rows(10), Step(FailsBeforeOneThatNeverEnds, kind="row"))
    assert failed.failure().row == 5


def test_the_first_row_that_fails_is_the_one_that_is_told_of():
    (failed,) = run(rows(10), Step(FailsLaterRowFirst, kind="row", name="Fails"))
    failure = failed.failure()
    assert (failure.function, failure.row) == ("Fails", 3)
    assert isinstance(failure.exception, KeyError)


@pytest.mark.parametrize(
    ("kind", "wanted"), [("row", "a dict; got: int: 3"), ("flat_row", "dicts; got: int: 3")]
)
def test_a_row_that_is_none_is_named(kind, wanted):
    async def wrong(row):
        return {"x": 1} if row["x"] < 2 and kind == "row" else 3

    (failed,) = run(rows(3), Step(wrong, kind=kind))
    place = 2 if kind == "row" else 0
    assert f"wrong returned no row for row {place} of its batch; wanted: {wanted}" in (
        failed.failure().text()
    )


def test_a_coroutine_that_nobody_can_see_beforehand_is_explained_for_rows():
    (failed,) = run(rows(1), Step(hidden, kind="row"))
    assert "say `async def`, or decorate with functools.wraps" in failed.failure().text()
    coroutine = never_waits({})
    bad_row("hidden", 0, "a dict", coroutine)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED  # It does not complain.
