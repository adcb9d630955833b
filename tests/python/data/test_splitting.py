from __future__ import annotations

import numpy as np
import pytest

import penstock


@pytest.fixture
def ds():
    return penstock.data.range(10, override_num_blocks=3)


def ids(ds):
    return [row["id"] for row in ds.take_all()]


def test_a_split_is_as_even_as_it_can_be(ds):
    assert [ids(part) for part in ds.split(3)] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert [ids(part) for part in ds.split(1)] == [list(range(10))]


def test_an_equal_split_leaves_rows_over(ds):
    parts = ds.split(3, equal=True)
    assert [ids(part) for part in parts] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert [part.count() for part in ds.split(11, equal=True)] == [0] * 11


def test_more_parts_than_rows_are_empty_but_keep_their_columns(ds):
    parts = ds.split(12)
    assert [part.count() for part in parts] == [1] * 10 + [0, 0]
    assert parts[-1].columns() == ["id"]
    assert parts[-1].map_batches(lambda batch: batch).count() == 0


def test_a_split_at_indices_cuts_there(ds):
    assert [ids(part) for part in ds.split_at_indices([2, 2, 7, 99])] == [
        [0, 1],
        [],
        [2, 3, 4, 5, 6],
        [7, 8, 9],
        [],
    ]


@pytest.mark.parametrize("indices", [[], [3, 2], [-1]])
def test_indices_that_make_no_sense_are_refused(ds, indices):
    with pytest.raises(ValueError, match="indices"):
        ds.split_at_indices(indices)


def test_a_proportionate_split_has_those_shares_and_the_rest(ds):
    assert [part.count() for part in ds.split_proportionately([0.2, 0.5])] == [2, 5, 3]
    assert [part.count() for part in ds.split_proportionately([0.89, 0.05])] == [8, 1, 1]


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([], "length 1"),
        ([0.5, 0.5], "less than 1"),
        ([0.0], "bigger than 0"),
        ([0.01], "non-empty"),
    ],
)
def test_shares_that_make_no_sense_are_refused(ds, shares, message):
    with pytest.raises(ValueError, match=message):
        ds.split_proportionately(shares)


def test_the_last_rows_are_for_testing(ds):
    train, test = ds.train_test_split(0.25)
    assert (ids(train), ids(test)) == (list(range(7)), [7, 8, 9])
    for four in (4, np.int64(4)):
        train, test = ds.train_test_split(four)
        assert (ids(train), ids(test)) == (list(range(6)), [6, 7, 8, 9])


def test_shuffled_rows_are_the_same_rows_by_seed(ds):
    train, test = ds.train_test_split(0.3, shuffle=True, seed=1)
    assert sorted(ids(train) + ids(test)) == list(range(10))
    assert ids(train) != list(range(7))
    again, _ = ds.train_test_split(0.3, shuffle=True, seed=1)
    assert ids(again) == ids(train)


def test_a_stratified_split_keeps_the_shares_of_values():
    rows = [{"kind": kind, "n": n} for n in range(20) for kind in ("a", "b", None)]
    train, test = penstock.data.from_items(rows).train_test_split(0.25, stratify="kind")
    assert train.count() == 45
    assert [row["n"] for row in test.take_all() if row["kind"] == "a"] == [15, 16, 17, 18, 19]
    assert sum(row["kind"] is None for row in test.take_all()) == 5
    with pytest.raises(KeyError, match="got: nope"):
        train.train_test_split(0.5, stratify="nope")


@pytest.mark.parametrize("size", [0, 10, 0.0, 1.0, 1.5])
def test_a_test_size_out_of_range_is_refused(ds, size):
    with pytest.raises(ValueError, match="test_size"):
        ds.train_test_split(size)


def test_contradicting_arguments_are_refused(ds):
    with pytest.raises(ValueError, match="stratify"):
        ds.train_test_split(0.5, shuffle=True, stratify="id")
    with pytest.raises(TypeError, match="test_size"):
        ds.train_test_split("half")
    with pytest.raises(ValueError, match="locality_hints"):
        ds.split(2, locality_hints=[None])


def test_parts_hold_tensors_and_text_too():
    rows = [{"t": np.full((2, 2), n), "s": str(n)} for n in range(6)]
    _, test = penstock.data.from_items(rows).train_test_split(2, shuffle=True, seed=3)
    for row in test.take_all():
        assert (row["t"] == int(row["s"])).all()
