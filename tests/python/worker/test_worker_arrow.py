"""Columns that only Arrow knows, and those that come from Arrow."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from round_trips import as_numpy, is_plain, round_trip

from penstock.worker import arrow, batches


def test_ragged_arrays_are_lists():
    values = [np.arange(2.0), np.arange(3.0)]
    column = round_trip(values)
    assert column.type == pa.list_(pa.float64())
    assert column.to_pylist() == [[0, 1], [0, 1, 2]]
    assert [list(row) for row in as_numpy(values)] == [[0, 1], [0, 1, 2]]


def test_ragged_matrices_are_nested_lists():
    values = [np.zeros((1, 2)), np.zeros((2, 2))]
    assert round_trip(values).to_pylist() == [[[0, 0]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3]],
        [{"a": 1}, {"a": 2, "b": "x"}],
        [decimal.Decimal("1.50"), None],
        [dt.date(2024, 5, 6)],
        [dt.datetime(2024, 5, 6, tzinfo=dt.UTC)],
        [dt.timedelta(seconds=3)],
        [[], None, [None]],
    ],
)
def test_nested_and_odd_values_are_what_pyarrow_makes_of_them(values):
    column = round_trip(values)
    assert column.equals(pa.array(values))
    assert not is_plain(values)


def test_plain_columns_stay_so_beside_others():
    batch = batches.encode({"n": np.arange(2), "l": [[1], []], "t": np.ones((2, 2))}, "f").pack()
    assert [column.type_name for column in batch.describe()] == ["int64", "", "double"]
    arrays = batches.to_numpy(batch)
    assert list(arrays) == ["n", "l", "t"]
    assert arrays["t"].shape == (2, 2)
    assert arrow.record_batch(batch).schema.names == ["n", "l", "t"]


ARROW_COLUMNS = {
    "ints": pa.array([1, None, 3, 4, 5]),
    "bools": pa.array([True, None, False, True, True]),
    "text": pa.array(["a", None, "ccc", "", "e"]),
    "large": pa.array(["a", None, "ccc", "", "e"], pa.large_string()),
    "lists": pa.array([[1], None, [], [2, 3], [4]]),
    "large lists": pa.array([[1], None, [], [2, 3], [4]], pa.large_list(pa.int8())),
    "fixed lists": pa.array([[1, 2], None, [3, 4], [5, 6], [7, 8]], pa.list_(pa.int16(), 2)),
    "structs": pa.array([{"a": 1, "b": "x"}, None, {"a": 3}, {"b": "y"}, {"a": 5, "b": "z"}]),
    "maps": pa.array([[("a", 1)], None, [], [("b", 2)], []], pa.map_(pa.string(), pa.int32())),
    "dictionary": pa.array(["a", "b", None, "a", "c"]).dictionary_encode(),
    "decimals": pa.array([decimal.Decimal(i) for i in range(5)], pa.decimal128(9, 2)),
    "fixed bytes": pa.array([b"abc", None, b"def", b"ghi", b"jkl"], pa.binary(3)),
    "dates": pa.array([dt.date(2024, 1, day) for day in range(1, 6)]),
    "zoned": pa.array([1, 2, None, 4, 5], pa.timestamp("ns", "UTC")),
    "durations": pa.array([1, 2, None, 4, 5], pa.duration("ms")),
    "intervals": pa.array([(1, 2, 3)] * 5, pa.month_day_nano_interval()),
    "nulls": pa.nulls(5),
    "halves": pa.array([0.5, None, 1, 2, 3], pa.float16()),
    "nested nulls": pa.array([[None]] * 5),
    "dense union": pa.UnionArray.from_dense(
        pa.array([0, 1, 0, 1, 0], pa.int8()),
        pa.array([0, 0, 1, 1, 2], pa.int32()),
        [pa.array([1, 2, 3]), pa.array(["a", "b"])],
    ),
    "sparse union": pa.UnionArray.from_sparse(
        pa.array([0, 1, 0, 1, 0], pa.int8()), [pa.array(range(5)), pa.array(list("abcde"))]
    ),
}


CUTS = [slice(None), slice(1, 4), slice(3, None), slice(2, 2)]


# pyarrow has no empty union without chunks.
CASES = [(name, cut) for name in ARROW_COLUMNS for cut in CUTS[: 3 if "union" in name else 4]]


@pytest.mark.parametrize(("name", "cut"), CASES, ids=str)
def test_arrow_tables_and_their_slices_come_back_equal(name, cut):
    whole = pa.record_batch({"before": pa.array(range(5)), name: ARROW_COLUMNS[name]})
    start, stop, _ = cut.indices(5)
    table = pa.Table.from_batches([whole.slice(start, stop - start)])
    batch = batches.encode(table, "f").pack()
    again = pa.Table.from_batches([arrow.record_batch(batch)])
    again.validate(full=True)
    assert again.equals(table)


def test_views_and_runs_become_ordinary_columns():
    table = pa.table(
        {
            "view": pa.array(["a", "b" * 30], pa.string_view()),
            "bytes": pa.array([b"a", b"b" * 30], pa.binary_view()),
            "runs": pa.RunEndEncodedArray.from_arrays([2], ["x"]),
        }
    )
    again = arrow.record_batch(batches.encode(table, "f").pack())
    assert again.schema.types == [pa.string(), pa.binary(), pa.string()]
    assert again.column("runs").to_pylist() == ["x", "x"]


def test_chunks_are_joined():
    table = pa.table({"x": pa.chunked_array([[1, 2], [], [3]])})
    assert arrow.record_batch(batches.encode(table, "f").pack()).column(0).to_pylist() == [1, 2, 3]


def test_arrow_arrays_in_a_dict_keep_their_type():
    column = pa.array(["a", "b", "a"]).dictionary_encode()
    assert round_trip(column).equals(column)
    assert round_trip(pa.chunked_array([[1], [2]], pa.int8())).type == pa.int8()


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5))
@settings(deadline=None)
def test_taking_rows_is_what_arrow_filters(mask):
    table = pa.table(
        {
            **ARROW_COLUMNS,
            "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(10).reshape(5, 2)),
        }
    ).drop_columns(["dense union", "sparse union"])
    batch = batches.encode(table, "f").pack()
    taken = batch.take(bytes(mask))
    arrow.take_others(batch, taken, bytes(mask))
    again = pa.Table.from_batches([arrow.record_batch(taken.pack())])
    assert again.to_pylist() == table.filter(pa.array(mask)).to_pylist()
