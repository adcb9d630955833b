"""Tensors whose shapes vary by row, from what functions return to files and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.exceptions import SchemaMismatchError


def pictures(batch):
    """Return a picture a row, each higher than the one before."""
    return {"t": [np.full((int(row) + 1, 2), row, np.float32) for row in batch["id"]]}


def seen(batch):
    assert all(isinstance(tensor, np.ndarray) for tensor in batch["t"])
    assert {str(tensor.dtype) for tensor in batch["t"]} == {"float32"}
    return {"t": batch["t"], "height": [tensor.shape[0] for tensor in batch["t"]]}


def assert_are_pictures(rows):
    assert [row["t"].shape for row in rows] == [(n + 1, 2) for n in range(len(rows))]
    assert all((row["t"] == n).all() for n, row in enumerate(rows))


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_functions_return_and_take_them(batch_size):
    ds = penstock.data.range(4).map_batches(pictures, batch_size=batch_size)
    assert_are_pictures(ds.take_all())
    rows = ds.map_batches(seen, batch_size=3).take_all()
    assert_are_pictures(rows)
    assert [row["height"] for row in rows] == [1, 2, 3, 4]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_they_come_back_from_parquet_as_they_were(batch_size, tmp_path):
    ds = penstock.data.range(4).map_batches(pictures, batch_size=batch_size)
    ds.write_parquet(tmp_path, min_rows_per_file=4)
    again = penstock.data.read_parquet(tmp_path)
    assert_are_pictures(again.map_batches(seen).take_all())


def test_other_numbers_of_dimensions_are_an_error_wherever_they_meet():
    def mixed(batch):
        return {"t": [np.zeros((1,) * (int(row) + 2)) for row in batch["id"]]}

    ds = penstock.data.range(2)
    with pytest.raises(penstock.exceptions.RayTaskError, match="equally many dimensions"):
        ds.map_batches(mixed).take_all()
    with pytest.raises(SchemaMismatchError, match="Column 't' is "):
        ds.map_batches(mixed, batch_size=1).take_all()


NULLED = {
    "fixed lists": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2)),
    "structs": pa.StructArray.from_arrays(
        [pa.array([[1, 2], None, [5, 6]], pa.list_(pa.int64(), 2))],
        ["a"],
        mask=pa.array([False, False, True]),
    ),
    "lists of fixed lists": pa.array([[[1, 2]], None, [None]], pa.list_(pa.list_(pa.int8(), 2))),
    "empty lists": pa.array([[], []], pa.list_(pa.int64(), 0)),
}


@pytest.mark.parametrize("name", NULLED)
def test_nulls_among_fixed_lists_come_back_from_parquet(name, tmp_path):
    penstock.data.from_arrow(pa.table({"x": NULLED[name]})).write_parquet(tmp_path)
    rows = penstock.data.read_parquet(tmp_path).take_all()
    assert [row["x"] for row in rows] == NULLED[name].to_pylist()


def test_nulls_among_tensors_come_back_from_parquet_as_tensors(tmp_path):
    values = [np.arange(4).reshape(2, 2), None, np.arange(4, 8).reshape(2, 2)]
    penstock.data.from_items([{"t": value} for value in values]).write_parquet(tmp_path)
    again = penstock.data.read_parquet(tmp_path)
    assert again.schema().types == [pa.fixed_shape_tensor(pa.int64(), [2, 2])]
    rows = again.take_all()
    assert rows[1]["t"] is None
    assert np.array_equal(rows[2]["t"], values[2])


def test_nulls_among_ragged_tensors_come_back_from_parquet(tmp_path):
    values = [np.ones((1, 2)), None, np.ones((3, 2))]
    ds = penstock.data.range(3).map_batches(lambda _: {"t": values})
    ds.write_parquet(tmp_path)
    rows = penstock.data.read_parquet(tmp_path).take_all()
    assert rows[1]["t"] is None
    assert [rows[0]["t"].shape, rows[2]["t"].shape] == [(1, 2), (3, 2)]


def test_metadata_passes_through_functions_to_the_file(tmp_path):
    import pyarrow.parquet as pq

    field = pa.field("n", pa.int64(), metadata={"unit": "m"})
    table = pa.table([[1, 2, 3]], schema=pa.schema([field], metadata={"source": "x"}))
    ds = penstock.data.from_arrow(table).map_batches(lambda given: given, batch_format="pyarrow")
    ds.filter(lambda row: row["n"] > 1).write_parquet(tmp_path)
    (path,) = tmp_path.glob("*.parquet")
    written = pq.read_schema(path)
    assert written.field("n").metadata == {b"unit": b"m"}
    assert written.metadata[b"source"] == b"x"
