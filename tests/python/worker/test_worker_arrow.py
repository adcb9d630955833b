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

from penstock.worker import arrow, batches, ragged
from penstock.worker.failure import BadReturnError


def test_vectors_whose_lengths_vary_are_tensors():
    values = [np.arange(2.0), np.arange(3.0)]
    column = round_trip(values)
    assert column.type.extension_name == "arrow.variable_shape_tensor"
    assert [list(row) for row in as_numpy(values)] == [[0, 1], [0, 1, 2]]


RAGGED = [np.arange(2.0).reshape(1, 2), None, np.arange(6.0).reshape(3, 2)]


def as_objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize("container", [list, tuple, as_objects])
def test_matrices_whose_shapes_differ_are_tensors_of_variable_shape(container):
    batch = batches.encode({"t": container(RAGGED)}, "f").pack()
    assert ragged.is_ragged(arrow.record_batch(batch).schema.field("t"))
    for came in (batches.to_numpy(batch)["t"], batches.other_values(batch)[0]):
        assert came[1] is None
        assert np.array_equal(came[0], RAGGED[0])
        assert np.array_equal(came[2], RAGGED[2])


def test_rows_with_matrices_of_their_own_shapes_are_tensors():
    rows = [{"t": np.ones((2, 1), np.int16)}, {"t": np.ones((1, 3), np.int16)}]
    batch = batches.encode(rows, "f").pack()
    assert [row.shape for row in batches.to_numpy(batch)["t"]] == [(2, 1), (1, 3)]
    assert batches.to_numpy(batch)["t"][0].dtype == np.int16


@pytest.mark.parametrize("shapes", [[(2, 3), (2, 3)], [(1, 2), (2, 2)], [(2,), (3,)]], ids=str)
def test_tensors_of_torch_one_a_row_are_as_arrays_of_numpy(shapes):
    torch = pytest.importorskip("torch")
    values = [np.full(shape, 7, np.float32) for shape in shapes]
    tensors = [torch.from_numpy(value).requires_grad_() for value in values]
    ours = arrow.record_batch(batches.encode({"t": tensors}, "f").pack())
    assert ours.equals(arrow.record_batch(batches.encode({"t": values}, "f").pack()))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([np.zeros((1, 2)), np.zeros(2)], "equally many dimensions.* have 1 and 2; .*column 't'"),
        ([np.zeros((1, 2)), np.zeros((2, 2), bool)], "are bool and float64; .*column 't'"),
    ],
)
def test_tensors_that_mix_dimensions_or_types_are_refused(values, words):
    with pytest.raises(BadReturnError, match=words):
        batches.encode({"t": values}, "f")


def test_a_table_keeps_its_metadata_but_for_the_index_of_pandas():
    field = pa.field("n", pa.int64(), metadata={"unit": "m"})
    schema = pa.schema([field], metadata={"source": "x", "pandas": "{}"})
    table = pa.table([pa.array([1, 2])], schema=schema)
    batch = batches.encode(table, "f").pack()
    again = arrow.record_batch(batch).schema
    assert again.field("n").metadata == {b"unit": b"m"}
    assert again.metadata == {b"source": b"x"}
    assert batch.is_plain


def test_types_of_the_users_own_keep_their_name_and_metadata():
    class Own(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.int64(), "penstock.test.own")

        def __arrow_ext_serialize__(self):
            return b"facts"

        @classmethod
        def __arrow_ext_deserialize__(cls, storage_type, serialized):
            return cls()

    column = pa.ExtensionArray.from_storage(Own(), pa.array([1, 2]))
    field = arrow.record_batch(batches.encode(pa.table({"o": column}), "f").pack()).schema.field(0)
    assert field.metadata[b"ARROW:extension:name"] == b"penstock.test.own"
    assert field.metadata[b"ARROW:extension:metadata"] == b"facts"


def test_chunks_that_offsets_do_not_reach_become_a_large_type(monkeypatch):
    monkeypatch.setattr(arrow, "OFFSET_MAX", 5)
    table = pa.table({"s": pa.chunked_array([["abc"], ["def"]]), "n": [1, 2]})
    again = arrow.record_batch(batches.encode(table, "f").pack())
    assert again.schema.types == [pa.large_string(), pa.int64()]
    assert again.column("s").to_pylist() == ["abc", "def"]


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
