"""Plain columns keep their values, types and nulls on the way into shared memory and back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from round_trips import as_numpy, is_plain, round_trip

from penstock.worker import arrow, batches


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
