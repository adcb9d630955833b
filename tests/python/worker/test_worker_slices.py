"""Some rows of a batch, read over the batch's own memory."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest

from penstock import _worker
from penstock.worker import arrow, batches
from penstock.worker.batches import encode

COLUMNS = {
    "int": pa.array([0, 1, None, 3, 4, 5, 6, 7, 8, 9], pa.int16()),
    "whole": pa.array(range(10), pa.int64()),
    "bool": pa.array([True, False] * 5),
    "maybe": pa.array([True, None] * 5),
    "text": pa.array([None, *"bcdefghij"]),
    "large": pa.array(list("abcdefghij"), pa.large_string()),
    "bytes": pa.array([bytes(n) for n in range(10)]),
    "null": pa.nulls(10),
    "time": pa.array(range(10), pa.timestamp("ms")),
    "list": pa.array([[n, n] for n in range(10)]),
    "struct": pa.array([{"a": n, "b": [str(n)]} for n in range(10)]),
    "map": pa.array([[(str(n), n)] for n in range(10)], pa.map_(pa.string(), pa.int8())),
    "decimal": pa.array([decimal.Decimal(n) for n in range(10)]),
    "zoned": pa.array(range(10), pa.timestamp("us", "UTC")),
    "dictionary": pa.array(list("aabbccddee")).dictionary_encode(),
    "fixed": pa.array([[n, n] for n in range(10)], pa.list_(pa.int8(), 2)),
    "tensor": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float64(), [2, 2]),
        pa.array([[n] * 4 for n in range(10)], pa.list_(pa.float64(), 4)),
    ),
    "dense": pa.UnionArray.from_dense(
        pa.array([0, 1] * 5, pa.int8()),
        pa.array([n // 2 for n in range(10)], pa.int32()),
        [pa.array(range(5)), pa.array(list("abcde"))],
    ),
}
CUTS = [(0, 10), (0, 3), (3, 4), (7, 3), (9, 1), (5, 0), (10, 0)]


@pytest.fixture(scope="module")
def batch():
    return _worker.Batch.from_bytes(encode(pa.table(COLUMNS), "test").to_bytes())


@pytest.fixture(scope="module")
def plain():
    names = ["int", "whole", "bool", "maybe", "text", "bytes", "null", "time"]
    columns = {name: COLUMNS[name] for name in names}
    columns["tensor"] = np.arange(40.0).reshape(10, 2, 2)
    columns["bits"] = np.arange(20).reshape(10, 2) % 3 == 0
    return _worker.Batch.from_bytes(encode(columns, "test").to_bytes())


@pytest.mark.parametrize(("first", "rows"), CUTS)
def test_a_slice_is_the_same_rows_in_arrow(batch, first, rows):
    whole = arrow.record_batch(batch)
    part = arrow.record_batch(batch.slice(first, rows))
    part.validate(full=True)
    assert part.equals(whole.slice(first, rows))


@pytest.mark.parametrize(("first", "rows"), CUTS)
def test_a_slice_is_the_same_rows_in_numpy(batch, first, rows):
    whole, part = batches.to_numpy(batch), batches.to_numpy(batch.slice(first, rows))
    for name, values in whole.items():
        assert part[name].dtype == values.dtype or not rows, name
        assert repr(part[name].tolist()) == repr(values[first : first + rows].tolist()), name


@pytest.mark.parametrize(("first", "rows"), CUTS)
def test_a_slice_is_the_same_rows_in_numpy_and_pandas_where_columns_are_plain(plain, first, rows):
    whole, part = batches.to_numpy(plain), batches.to_numpy(plain.slice(first, rows))
    for name, values in whole.items():
        assert part[name].dtype == values.dtype
        assert repr(part[name].tolist()) == repr(values[first : first + rows].tolist())
    frame = batches.to_pandas(plain.slice(first, rows))
    wanted = batches.to_pandas(plain)[first : first + rows].astype(frame.dtypes)
    assert repr(frame.to_dict("list")) == repr(wanted.to_dict("list"))


@pytest.mark.parametrize(("first", "rows"), CUTS)
def test_a_slice_has_the_same_rows_as_dicts_and_through_a_filter(plain, first, rows):
    whole, part = plain.to_rows([]), plain.slice(first, rows).to_rows([])
    assert repr(part) == repr(whole[first : first + rows])
    kept = plain.slice(first, rows).take(b"\1" * rows).pack()
    assert repr(kept.to_rows([])) == repr(part)


def test_slices_of_slices_look_at_the_same_memory(plain):
    part = plain.slice(2, 6).slice(1, 3)
    array, whole = part.to_numpy()["whole"], plain.to_numpy()["whole"]
    assert array.tolist() == [3, 4, 5]
    assert array.ctypes.data == whole[3:].ctypes.data
    assert part.nbytes == plain.nbytes * 3 // 10


@pytest.mark.parametrize("cut", [(-1, 2), (0, -1), (9, 2), (11, 0), (1, 2**63 - 1)])
def test_a_slice_beyond_its_batch_is_refused(plain, cut):
    with pytest.raises(IndexError, match="beyond its batch"):
        plain.slice(*cut)


@pytest.mark.parametrize(("first", "rows"), [(0, 10), (3, 4), (10, 0)])
def test_a_copy_holds_the_same_rows_over_memory_of_its_own(plain, first, rows):
    cut = plain.slice(first, rows)
    copy = cut.copy()
    assert (copy.rows, copy.nbytes) == (cut.rows, cut.nbytes)
    assert arrow.record_batch(copy).equals(arrow.record_batch(cut))
    values = copy.to_numpy()["whole"]
    assert not np.shares_memory(values, plain.to_numpy()["whole"])
    values += 1
    assert list(cut.to_numpy()["whole"]) == list(range(first, first + rows))
