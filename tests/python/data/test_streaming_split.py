from __future__ import annotations

import contextlib
import gc
import threading

import pytest

import penstock
from penstock.data import execution


@pytest.fixture
def ds():
    return penstock.data.range(1000, override_num_blocks=7)


def ids(iterable):
    return [row["id"] for row in iterable]


def in_threads(iterators, work):
    """Run `work(iterator)` for all of them at once; return what they return."""
    results = [None] * len(iterators)

    def run(index):
        try:
            results[index] = work(iterators[index])
        except Exception as error:  # noqa: BLE001
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(iterators))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def test_each_row_goes_to_exactly_one_of_the_threads(ds):
    parts = in_threads(ds.streaming_split(3), lambda it: ids(it.iter_rows()))
    assert sorted(row for part in parts for row in part) == list(range(1000))
    assert [len(part) for part in parts] == [334, 333, 333]


def test_an_equal_split_gives_the_same_number_to_each(ds):
    parts = in_threads(ds.streaming_split(3, equal=True), lambda it: ids(it.iter_rows()))
    assert [len(part) for part in parts] == [333] * 3
    assert len({row for part in parts for row in part}) == 999


def test_which_rows_go_where_does_not_depend_on_speed(ds):
    together = in_threads(ds.streaming_split(3), lambda it: ids(it.iter_rows()))
    one_by_one = [ids(it.iter_rows()) for it in ds.streaming_split(3)]
    assert one_by_one == together


def test_the_next_epoch_begins_when_all_have_ended(ds):
    first, second = ds.streaming_split(2)
    begun = []

    def two_epochs(iterator):
        counts = []
        for _ in range(2):
            begun.append(iterator)
            counts.append(len(ids(iterator.iter_rows())))
        return counts

    assert in_threads([first, second], two_epochs) == [[500, 500], [500, 500]]
    again = iter(first.iter_rows())
    assert next(again)["id"] == 0
    again.close()


def test_an_iterator_that_leaves_early_stops_nobody(ds):
    def take_one(iterator):
        with contextlib.closing(iter(iterator.iter_rows())) as rows:
            return [next(rows)["id"]]

    first, second = ds.streaming_split(2)
    parts = in_threads(
        [first, second],
        lambda it: take_one(it) if it is first else ids(it.iter_rows()),
    )
    assert [len(part) for part in parts] == [1, 500]
    assert len(ids(second.iter_rows())) + len(ids(first.iter_rows())) == 1000


def test_the_job_stops_when_all_have_left(ds):
    first, second = ds.streaming_split(2)
    loops = [iter(first.iter_rows()), iter(second.iter_rows())]
    for loop in loops:
        next(loop)
        loop.close()
    assert not execution._running


def test_an_iterator_that_is_gone_is_not_waited_for(ds):
    first, second = ds.streaming_split(2)
    del second
    gc.collect()
    assert len(ids(first.iter_rows())) == 500
    assert len(ids(first.iter_rows())) == 500


def test_one_that_lags_makes_the_others_fail_in_the_end(context):
    context.execution_no_progress_timeout_s = 0.2
    first, _second = penstock.data.range(100).streaming_split(2)
    assert len(ids(first.iter_rows())) == 50
    with pytest.raises(TimeoutError, match="at the same time"):
        ids(first.iter_rows())


def test_one_iterator_is_iterated_by_one_loop_at_a_time(ds):
    first, _second = ds.streaming_split(2)
    loop = iter(first.iter_rows())
    next(loop)
    with pytest.raises(RuntimeError, match="iterated already"):
        next(iter(first.iter_rows()))
    loop.close()


def test_an_error_reaches_every_thread(ds):
    def fail(row):
        if row["id"] == 900:
            raise ZeroDivisionError("nine hundred")
        return row

    results = in_threads(ds.map(fail).streaming_split(2), lambda it: ids(it.iter_rows()))
    assert all(isinstance(result, ZeroDivisionError) for result in results)


def test_a_queue_that_is_full_holds_the_run_back(ds, monkeypatch, context):
    from penstock.data.consuming import streaming_split

    monkeypatch.setattr(streaming_split, "_QUEUED_BYTES_MAX", 0)
    context.execution_no_progress_timeout_s = 0.2
    first, second = penstock.data.range(1000, override_num_blocks=7).streaming_split(2)
    with pytest.raises(TimeoutError):
        ids(first.iter_rows())
    parts = in_threads(ds.streaming_split(2), lambda it: ids(it.iter_rows()))
    assert sum(map(len, parts)) == 1000
    del second


def test_an_iterator_has_batches_and_can_be_materialised(ds):
    first, second = ds.streaming_split(2)
    batches = list(first.iter_batches(batch_size=100))
    assert [len(batch["id"]) for batch in batches] == [100] * 5
    held = second.materialize()
    assert held.count() == 500
    assert second.schema().names == ["id"]
    assert "SplitIterator(1 of 2" in repr(second)
