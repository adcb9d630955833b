from __future__ import annotations

import threading

import pytest

import penstock
from penstock.data.consuming.prefetch import prefetched


def test_items_come_in_order():
    assert list(prefetched(iter(range(50)), 3)) == list(range(50))


def test_items_are_made_ahead_but_no_further_than_asked():
    made = []
    enough = threading.Event()

    def source():
        for item in range(100):
            made.append(item)
            if len(made) == 4:
                enough.set()
            yield item

    items = prefetched(source(), 2)
    assert next(items) == 0
    assert enough.wait(10)
    assert len(made) == 4  # One is given, two wait, one is in the thread's hands.
    items.close()


def test_an_error_is_raised_where_its_item_would_be():
    def source():
        yield 1
        raise KeyError("two")

    items = prefetched(source(), 5)
    assert next(items) == 1
    with pytest.raises(KeyError, match="two"):
        next(items)


def test_leaving_early_ends_the_thread_and_closes_the_source():
    closed = threading.Event()

    def source():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = prefetched(source(), 1)
    next(items)
    items.close()
    assert closed.is_set()
    assert not [t for t in threading.enumerate() if t.name == "penstock-prefetch"]


def test_collating_happens_ahead_in_a_thread():
    threads = set()

    def collate(batch):
        threads.add(threading.current_thread().name)
        return len(batch["id"])

    ds = penstock.data.range(100)
    assert list(ds.iter_batches(batch_size=50, _collate_fn=collate)) == [50, 50]
    assert threads == {"penstock-prefetch"}
    threads.clear()
    assert list(ds.iter_batches(batch_size=50, _collate_fn=collate, prefetch_batches=0)) == [50, 50]
    assert threads == {threading.current_thread().name}
