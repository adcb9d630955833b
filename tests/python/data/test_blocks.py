from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data import blocks


def block_of(table):
    held = list(penstock.data.from_arrow(table)._run().blocks())
    assert len(held) == 1
    return held[0]


class Piece:
    """A stand-in for a block that remembers which rows it has and how it came about."""

    def __init__(self, start, stop, *, sliced=False):
        self.rows = range(start, stop)
        self.num_rows = stop - start
        self.sliced = sliced

    def slice(self, offset, rows):
        start = self.rows.start + offset
        return Piece(start, start + rows, sliced=True)


@pytest.fixture
def joined(monkeypatch):
    """Rows of the batches that `regroup` makes, batches of several pieces as lists of pieces."""
    monkeypatch.setattr(blocks, "_joined", list)

    def regroup(sizes, rows, *, drop_last=False):
        stops = np.cumsum(sizes)
        pieces = [Piece(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]
        batches = blocks.regroup(pieces, rows, drop_last=drop_last)
        return [[(p.rows.start, p.rows.stop, p.sliced) for p in batch] for batch in batches]

    return regroup


def test_batches_within_one_block_are_slices(joined):
    assert joined([5], 2) == [[(0, 2, True)], [(2, 4, True)], [(4, 5, True)]]


def test_a_block_of_just_the_size_is_handed_on_as_it_is(joined):
    assert joined([2, 2], 2) == [[(0, 2, False)], [(2, 4, False)]]


def test_batches_cross_blocks_and_the_last_one_may_be_smaller(joined):
    assert joined([1, 1, 3], 2) == [
        [(0, 1, False), (1, 2, False)],
        [(2, 4, True)],
        [(4, 5, True)],
    ]


def test_drop_last_leaves_out_only_a_smaller_last_batch(joined):
    assert len(joined([3, 2], 2, drop_last=True)) == 2
    assert len(joined([3, 1], 2, drop_last=True)) == 2


def test_empty_blocks_make_no_batch():
    pieces = [Piece(0, 0), Piece(0, 2), Piece(2, 2)]
    batches = list(blocks.regroup(pieces, None, drop_last=False))
    assert [batch.num_rows for batch in batches] == [2]


def test_plain_columns_become_arrays_and_rows():
    block = block_of(pa.table({"n": [1, 2], "t": ["a", None], "b": [True, False]}))
    arrays = blocks.to_numpy(block)
    assert arrays["n"].dtype == np.int64
    assert arrays["t"].tolist() == ["a", None]
    assert arrays["b"].dtype == np.bool_
    assert blocks.to_rows(block) == [
        {"n": 1, "t": "a", "b": True},
        {"n": 2, "t": None, "b": False},
    ]


def test_columns_keep_their_order_where_pyarrow_has_to_help():
    table = pa.table({"a": [1, 2], "list": [[1], [2, 3]], "z": [0.5, 1.5]})
    block = block_of(table)
    assert list(blocks.to_numpy(block)) == ["a", "list", "z"]
    assert list(blocks.to_pandas(block).columns) == ["a", "list", "z"]
    assert blocks.to_rows(block)[1] == {"a": 2, "list": [2, 3], "z": 1.5}


def test_tensors_are_one_array_in_batches_and_an_array_each_in_rows():
    tensors = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    table = pa.table({"data": pa.FixedShapeTensorArray.from_numpy_ndarray(tensors)})
    block = block_of(table)
    np.testing.assert_array_equal(blocks.to_numpy(block)["data"], tensors)
    np.testing.assert_array_equal(blocks.to_rows(block)[2]["data"], tensors[2])
    np.testing.assert_array_equal(blocks.to_pandas(block)["data"][1], tensors[1])


def test_arrow_batches_are_tables():
    table = pa.table({"n": [1, 2], "s": [{"x": 1}, None]})
    assert blocks.to_arrow(block_of(table)).equals(table)
    assert blocks.to_numpy(block_of(table))["s"].tolist() == [{"x": 1}, None]
