"""Columns keep their values, types and nulls on the way into shared memory and back."""

from __future__ import annotations

import array
import datetime as dt
import decimal
from collections import UserDict, deque

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import _worker
from penstock.worker import arrow, batches
from penstock.worker.failure import BadReturnError


def round_trip(values):
    """Return the column as Arrow sees it after packing."""
    batch = batches.encode({"x": values}, "f").pack()
    return arrow.record_batch(batch).column(0)


def as_numpy(values):
    return batches.to_numpy(batches.encode({"x": values}, "f").pack())["x"]


def is_plain(values) -> bool:
    return _worker.encode({"x": values})[1] == []


@pytest.mark.parametrize(
    "dtype",
    [
        "?",
        "i1",
        "i2",
        "i4",
        "i8",
        "u1",
        "u2",
        "u4",
        "u8",
        "f2",
        "f4",
        "f8",
        "M8[s]",
        "M8[ms]",
        "M8[us]",
        "M8[ns]",
    ],
)
def test_numbers_keep_their_dtype(dtype):
    values = np.arange(10).astype("i8").astype(dtype)
    again = as_numpy(values)
    assert again.dtype == values.dtype
    np.testing.assert_array_equal(again, values)
    assert round_trip(values).type == pa.array(values).type
    assert is_plain(values)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20)[::2],
        np.arange(20)[::-1],
        np.arange(12).reshape(3, 4).T,
        np.arange(5, dtype=">i4"),
        np.arange(5, dtype=">f8"),
        np.broadcast_to(np.float32(3), (4, 2)),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ],
    ids=["strided", "reversed", "transposed", "big-endian", "big-endian float", "broadcast", "F"],
)
def test_arrays_in_any_memory_order_are_copied_right(values):
    np.testing.assert_array_equal(as_numpy(values), values)


def test_big_endian_datetimes_keep_their_instant():
    values = np.array(["2024-05-06T07:08:09", "NaT"], dtype=">M8[s]")
    np.testing.assert_array_equal(as_numpy(values), values)


@pytest.mark.parametrize("unit", ["h", "m"])
def test_coarse_datetimes_become_seconds(unit):
    values = np.array(["2024-05-06T07:08"], dtype=f"M8[{unit}]")
    assert as_numpy(values).dtype == "M8[s]"
    np.testing.assert_array_equal(as_numpy(values), values)


def test_days_become_dates():
    assert round_trip(np.array(["2024-05-06"], dtype="M8[D]")).type == pa.date32()


def test_not_a_time_is_null():
    assert round_trip(np.array(["NaT", "2024-05-06"], dtype="M8[us]")).null_count == 1


@pytest.mark.parametrize("shape", [(3, 2), (3, 1), (0, 4), (2, 3, 4)])
@pytest.mark.parametrize("dtype", ["f4", "u1", "?"])
def test_arrays_of_more_dimensions_are_tensors(shape, dtype):
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    again = as_numpy(values)
    assert again.dtype == values.dtype
    np.testing.assert_array_equal(again, values)
    assert round_trip(values).type == pa.fixed_shape_tensor(
        pa.from_numpy_dtype(values.dtype), shape[1:]
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([None, 2.5, 1], pa.float64()),
        ([2**63, 1], pa.uint64()),
        ([True, None, False], pa.bool_()),
        (["a", None, "ä€😀", ""], pa.string()),
        ([b"a", None, b"\x00\xff"], pa.binary()),
        ([None, None], pa.null()),
        (
            [
                dt.datetime.fromisoformat("0001-01-01T00:00:00"),
                None,
                dt.datetime.fromisoformat("9999-12-31T23:59:59.999999"),
            ],
            pa.timestamp("us"),
        ),
        ([np.float32(1.5), None], pa.float32()),
        ([np.int8(-3), np.int8(4)], pa.int8()),
        ([np.bool_(True)], pa.bool_()),
        ([np.str_("x")], pa.string()),
        ([np.datetime64("2024-01-01T00:00:00", "ms"), None], pa.timestamp("ms")),
        ((1, 2), pa.int64()),
    ],
)
def test_lists_of_python_values_get_the_type_that_arrow_infers(values, kind):
    column = round_trip(values)
    assert column.type == kind
    assert column.to_pylist() == pa.array(list(values), kind).to_pylist()
    assert is_plain(values)


def test_numpy_scalars_of_differing_types_get_a_common_one():
    assert round_trip([np.int8(1), np.int32(70_000)]).to_pylist() == [1, 70_000]
    assert round_trip([np.float32(0.5), 1.25]).to_pylist() == [0.5, 1.25]
    assert round_trip([np.uint64(2**64 - 1), 1]).to_pylist() == [2**64 - 1, 1]
    assert round_trip([np.float16(0.5), np.float32(1)]).to_pylist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array(["a", "bcd", ""]), pa.string()),
        (np.array(["ä€😀", "x"], dtype=">U4"), pa.string()),
        (np.array([b"a", b"bcd\x01"]), pa.binary()),
        (np.array(["a", "b" * 40], dtype=np.dtypes.StringDType()), pa.string()),
        (np.array(["a", None, "c"], dtype=object), pa.string()),
        (np.array([1, None, 3], dtype=object), pa.int64()),
    ],
    ids=["U", "big-endian U", "S", "StringDType", "object text", "object int"],
)
def test_text_and_object_arrays_are_plain(values, kind):
    column = round_trip(values)
    assert column.type == kind
    assert column.to_pylist() == list(values)
    assert is_plain(values)


def test_missing_strings_of_numpy_are_null():
    values = np.array(["a", None], dtype=np.dtypes.StringDType(na_object=None))
    assert round_trip(values).to_pylist() == ["a", None]


def test_arrays_of_one_shape_in_a_list_are_a_tensor():
    values = [np.arange(6, dtype="f4").reshape(2, 3) + i for i in range(4)]
    assert round_trip(values).type == pa.fixed_shape_tensor(pa.float32(), (2, 3))
    np.testing.assert_array_equal(as_numpy(values), np.stack(values))
    objects = np.empty(4, dtype=object)
    objects[:] = values
    np.testing.assert_array_equal(as_numpy(objects), np.stack(values))


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


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (range(3), [0, 1, 2]),
        (deque([1, 2]), [1, 2]),
        (array.array("d", [0.5]), [0.5]),
        (memoryview(np.arange(2)), [0, 1]),
    ],
)
def test_other_sequences_are_columns(values, wanted):
    assert round_trip(values).to_pylist() == wanted


def test_any_mapping_is_a_batch():
    batch = batches.encode(UserDict({"x": [1, 2]}), "f").pack()
    assert batches.to_numpy(batch)["x"].tolist() == [1, 2]


def test_masked_values_are_null():
    values = np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])
    assert round_trip(values).to_pylist() == [1, None, 3]


def test_memory_mapped_arrays_and_matrices_are_arrays(tmp_path):
    mapped = np.memmap(tmp_path / "x", dtype="i4", mode="w+", shape=(3,))
    mapped[:] = [1, 2, 3]
    assert round_trip(mapped).to_pylist() == [1, 2, 3]


def test_tensors_of_torch_are_columns_off_the_graph():
    torch = pytest.importorskip("torch")
    graph = torch.arange(4.0, requires_grad=True) * 2
    assert round_trip(graph).to_pylist() == [0, 2, 4, 6]
    half = torch.ones(2, 3, dtype=torch.bfloat16)
    assert round_trip(half).type == pa.fixed_shape_tensor(pa.float32(), (3,))


def test_data_frames_are_batches():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "s": ["a", None],
            "c": pd.Categorical(["x", "y"]),
            "i": pd.array([1, None], dtype="Int64"),
            "t": [np.ones(2), np.zeros(2)],
            7: [0.5, np.nan],
        }
    )
    again = arrow.record_batch(batches.encode(frame, "f").pack())
    assert again.schema.names == ["n", "s", "c", "i", "t", "7"]
    assert again.column("s").to_pylist() == ["a", None]
    assert again.column("c").to_pylist() == ["x", "y"]
    assert again.column("i").to_pylist() == [1, None]
    assert again.schema.field("t").type == pa.fixed_shape_tensor(pa.float64(), (2,))
    assert np.isnan(again.column("7").to_pylist()[1])


def test_rows_take_keys_in_order_of_appearance_and_lack_of_one_is_null():
    batch = batches.encode([{"a": 1}, {"b": "x", "a": 2}, {"b": None}], "f").pack()
    rows = arrow.record_batch(batch).to_pylist()
    assert rows == [{"a": 1, "b": None}, {"a": 2, "b": "x"}, {"a": None, "b": None}]


def test_a_row_value_that_is_not_plain_takes_its_column_to_arrow():
    rows = [{"x": None}, {"x": np.float32(1)}, {"x": np.float32(2)}, {"x": None}]
    assert batches.encode(rows, "f").describe()[0].type_name == "float"
    lists = [{"x": [1]}, {"x": None}, {}, {"x": [2, 3]}]
    batch = batches.encode(lists, "f").pack()
    assert arrow.record_batch(batch).column(0).to_pylist() == [[1], None, None, [2, 3]]


def test_no_rows_are_no_columns():
    assert not batches.encode([], "f").has_columns


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        (pa.int32(), [1, None], "f8"),
        (pa.uint64(), [1, None], "f8"),
        (pa.float32(), [1, None], "f4"),
        (pa.float16(), [1, None], "f2"),
    ],
)
def test_numbers_with_nulls_are_floats_with_nan(kind, values, dtype):
    array = as_numpy(pa.array(values, kind))
    assert array.dtype == dtype
    assert array[0] == 1
    assert np.isnan(array[1])


def test_other_values_with_nulls_hold_none_or_nat():
    assert as_numpy([True, None]).tolist() == [True, None]
    assert as_numpy(["a", None]).tolist() == ["a", None]
    assert as_numpy([None, None]).tolist() == [None, None]
    times = as_numpy(np.array(["NaT", "2024-01-01"], "M8[us]"))
    assert np.isnat(times).tolist() == [True, False]
    tensors = as_numpy([np.ones(2), None])
    assert tensors[1] is None
    assert tensors[0].tolist() == [1, 1]


def test_rows_hold_plain_python_values():
    stamp = dt.datetime.fromisoformat("2024-05-06T07:08:09")
    batch = batches.encode(
        {
            "i": np.array([1], "i2"),
            "f": np.array([0.5], "f4"),
            "h": np.array([0.5], "f2"),
            "b": [True],
            "s": ["a"],
            "y": [b"a"],
            "n": [None],
            "us": [stamp],
            "ns": np.array([stamp], "M8[ns]"),
            "t": np.ones((1, 2), "u1"),
            "l": [[1, 2]],
        },
        "f",
    ).pack()
    (row,) = batch.to_rows(batches.other_values(batch))
    tensor = row.pop("t")
    assert tensor.dtype == "u1"
    assert tensor.tolist() == [1, 1]
    assert row == {
        "i": 1,
        "f": 0.5,
        "h": 0.5,
        "b": True,
        "s": "a",
        "y": b"a",
        "n": None,
        "us": stamp,
        "ns": stamp,
        "l": [1, 2],
    }
    assert {type(value) for value in row.values()} == {
        int,
        float,
        bool,
        str,
        bytes,
        type(None),
        dt.datetime,
        list,
    }


def test_nanoseconds_that_a_datetime_cannot_hold_stay_numpy_scalars():
    batch = batches.encode({"x": np.array([1_000_000_001], "M8[ns]")}, "f").pack()
    assert batch.to_rows([])[0]["x"] == np.datetime64(1_000_000_001, "ns")


def test_views_are_writable_and_outlive_their_batch():
    array = as_numpy(np.arange(3))
    array += 1
    assert array.tolist() == [1, 2, 3]


def test_a_packed_batch_that_reaches_beyond_its_bytes_is_refused():
    packed = batches.encode({"x": np.arange(100)}, "f").to_bytes()
    with pytest.raises(ValueError, match="beyond"):
        _worker.Batch.from_bytes(packed[:500])
    with pytest.raises(ValueError, match="no packed batch"):
        _worker.Batch.from_bytes(b"\0" * len(packed))


VALUES = {
    "int": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "float": (st.floats(allow_nan=False), pa.float64()),
    "text": (st.text(st.characters(codec="utf-8")), pa.string()),
    "bytes": (st.binary(), pa.binary()),
    "bool": (st.booleans(), pa.bool_()),
    "time": (st.datetimes(), pa.timestamp("us")),
    "list": (st.lists(st.integers(0, 9)), pa.list_(pa.int64())),
}


@given(data=st.data(), name=st.sampled_from(sorted(VALUES)))
@settings(max_examples=150, deadline=None)
def test_what_goes_in_comes_out_as_arrow_has_it(data, name):
    values, kind = VALUES[name]
    column = data.draw(st.lists(st.none() | values, min_size=1, max_size=20))
    wanted = pa.array(column, kind).to_pylist()
    rows = batches.encode([{"x": value} for value in column], "f").pack()
    assert round_trip(column).to_pylist() == wanted
    assert arrow.record_batch(rows).column(0).to_pylist() == wanted
    objects = np.empty(len(column), dtype=object)
    objects[:] = column
    assert round_trip(objects).to_pylist() == wanted
    assert [row["x"] for row in rows.to_rows(batches.other_values(rows))] == wanted


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


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "got: NoneType: None"),
        (np.arange(3), r"got: ndarray of length 3: array\(\[0, 1, 2\]\)"),
        ("text", "got: str of length 4: 'text'"),
        ({1, 2}, "got: set of length 2"),
        ([1, 2], "item 0 is no row dict; .* got: int: 1"),
        ([{"a": 1}, 5], "item 1 is no row dict; .* got: int: 5"),
        ({1: [1]}, "name is no text; got: int: 1"),
        ([{1: 1}], "keys of a row must be text; got: 1"),
        ({"x": 5}, "got for column 'x': int: 5"),
        ({"x": "abc"}, "got for column 'x': str: 'abc'"),
        ({"x": {"a": [1]}}, "got for column 'x': dict"),
        ({"x": np.array(5)}, "got for column 'x': ndarray"),
        ({"x": np.float32(5)}, "got for column 'x': float32"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "differ in length; .* got: 'a' with 2, 'b' with 3"),
        ({"x": [1, "a"]}, "no common type; .* got for column 'x': \\[1, 'a'\\]"),
        ({"x": [2**64]}, "got for column 'x': \\[18446744073709551616\\]"),
        ({"x": [object()]}, "got for column 'x': \\[<object"),
        ({"x": np.zeros(2, [("a", "i4")])}, "structured array; .* column 'x'"),
        ({"x": np.zeros(2, "c8")}, "complex numbers; .* column 'x': complex64"),
        (pa.array([1]), "got: Int64Array of length 1"),
    ],
)
def test_what_cannot_be_columns_is_refused_with_names(result, said):
    with pytest.raises(BadReturnError, match=said) as caught:
        batches.encode(result, "Model.__call__")
    assert "Model.__call__" in str(caught.value)
