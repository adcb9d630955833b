"""What a function is handed: arrays and rows over shared memory."""

from __future__ import annotations

import datetime as dt
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from round_trips import as_numpy

from penstock import _worker
from penstock.worker import batches


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


def test_a_batch_that_nobody_looks_at_any_more_gives_its_memory_back():
    def resident_bytes():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    output, _ = _worker.encode({"x": np.ones((16, 1 << 14))})  # 2 MiB, packed a hundred times.
    output.pack().to_numpy()
    before = resident_bytes()
    for _ in range(100):
        output.pack().to_numpy()
    assert resident_bytes() - before < 20 << 20
