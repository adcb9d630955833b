from __future__ import annotations

import pytest

import penstock
from penstock.data import blocks
from penstock.data.consuming.local_shuffle import shuffled


@pytest.fixture
def ds():
    return penstock.data.range(1000, override_num_blocks=20)


def order(ds, **options):
    options = {"batch_size": 64, "local_shuffle_buffer_size": 200, **options}
    batches = list(ds.iter_batches(**options))
    return [len(batch["id"]) for batch in batches], [i for b in batches for i in b["id"].tolist()]


def test_each_row_comes_once_in_another_order(ds):
    sizes, rows = order(ds, local_shuffle_seed=1)
    assert sorted(rows) == list(range(1000))
    assert rows != list(range(1000))
    assert sizes == [64] * 15 + [40]


def test_the_seed_decides_the_order(ds):
    assert order(ds, local_shuffle_seed=1) == order(ds, local_shuffle_seed=1)
    assert order(ds, local_shuffle_seed=1) != order(ds, local_shuffle_seed=2)


def test_a_smaller_last_batch_can_be_dropped(ds):
    sizes, rows = order(ds, local_shuffle_seed=1, drop_last=True)
    assert sizes == [64] * 15
    assert len(set(rows)) == 960


def test_rows_stray_as_far_as_the_buffer_lets_them(ds):
    _, rows = order(ds, local_shuffle_seed=1)
    early = max(row - place for place, row in enumerate(rows))
    assert 100 < early <= 200 * 1.5 + 64 + 50


@pytest.mark.parametrize("buffer_rows", [1, 5000])
def test_any_buffer_gives_each_row_once(ds, buffer_rows):
    sizes, rows = order(ds, local_shuffle_buffer_size=buffer_rows, local_shuffle_seed=3)
    assert sorted(rows) == list(range(1000))
    assert len(sizes) == 16


def test_no_more_is_held_than_the_buffer_a_batch_and_a_block():
    held = penstock.data.range(10_000, override_num_blocks=200).materialize()
    taken = 0

    def source():
        nonlocal taken
        for block in held._held_blocks():
            taken += block.num_rows
            yield block

    given = 0
    for batch in shuffled(source(), 100, buffer_rows=1000, seed=1, drop_last=False):
        assert taken - given <= 1500 + 100 + 50
        given += batch.num_rows
    assert given == 10_000


def test_small_blocks_are_not_joined_one_by_one(monkeypatch):
    held = penstock.data.range(2000, override_num_blocks=2000).materialize()
    gathered = 0
    take = blocks_take()

    def counted(parts, rows):
        nonlocal gathered
        gathered += len(rows)
        return take(parts, rows)

    monkeypatch.setattr("penstock._core.Block", Counted(counted))
    batches = shuffled(iter(held._held_blocks()), 1, buffer_rows=500, seed=1, drop_last=False)
    assert sum(batch.num_rows for batch in batches) == 2000
    assert gathered < 4 * 2000


class Counted:
    def __init__(self, take):
        self.take = take


def blocks_take():
    from penstock._core import Block

    return Block.take


def test_no_rows_give_no_batches(ds):
    assert order(ds.filter(expr="id < 0")) == ([], [])
    assert blocks.unified([]) == []
