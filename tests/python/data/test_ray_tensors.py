"""Parquet files that hold tensors as Ray Data writes them."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock as ray
from penstock.exceptions import CorruptDataError

PLAIN = {"ray.data.arrow_tensor": pa.list_, "ray.data.arrow_tensor_v2": pa.large_list}


class Stored(pa.ExtensionType):
    """A type of Ray's, as far as a file shows it; not registered, so that nobody reads it back."""

    def __init__(self, storage, name, metadata):
        self._metadata = metadata
        super().__init__(storage, name)

    def __arrow_ext_serialize__(self):
        return self._metadata


def write(path, storage, name, metadata):
    column = pa.ExtensionArray.from_storage(Stored(storage.type, name, metadata), storage)
    pq.write_table(pa.table({"id": range(len(storage)), "t": column}), path, row_group_size=2)


@pytest.mark.parametrize("name", PLAIN)
def test_tensors_of_one_shape_are_read_as_tensors(tmp_path, name):
    arrays = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    storage = pa.array([list(array.ravel()) for array in arrays], PLAIN[name](pa.float32()))
    write(tmp_path / "a.parquet", storage, name, b"[2, 3]")
    ds = ray.data.read_parquet(str(tmp_path / "a.parquet"))
    batch = next(iter(ds.iter_batches(batch_size=None)))
    assert batch["t"].shape == (2, 2, 3)
    doubled = ds.map_batches(lambda batch: {"t": batch["t"] * 2})
    got = np.concatenate([part["t"] for part in doubled.iter_batches(batch_size=None)])
    assert np.array_equal(got, arrays * 2)
    ds.write_parquet(str(tmp_path / "out"))
    again = ray.data.read_parquet(str(tmp_path / "out")).take_batch(4)
    assert np.array_equal(again["t"], arrays)


def test_tensors_of_differing_shapes_are_read_with_their_shapes(tmp_path):
    type_ = pa.struct([("data", pa.large_list(pa.uint8())), ("shape", pa.list_(pa.int64()))])
    rows = [{"data": [1, 2, 3, 4], "shape": [2, 2]}, {"data": [5, 6], "shape": [1, 2]}]
    name = "ray.data.arrow_variable_shaped_tensor"
    write(tmp_path / "a.parquet", pa.array(rows, type_), name, b"2")
    got = ray.data.read_parquet(str(tmp_path)).take_all()
    assert [np.asarray(row["t"]).tolist() for row in got] == [[[1, 2], [3, 4]], [[5, 6]]]


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_pickled_metadata_is_never_unpickled(tmp_path):
    storage = pa.array([[1, 2], [3, 4]], pa.list_(pa.int64()))
    write(tmp_path / "a.parquet", storage, "ray.data.arrow_tensor", pickle.dumps(Bomb()))
    rows = ray.data.read_parquet(str(tmp_path)).take_all()
    assert [list(row["t"]) for row in rows] == [[1, 2], [3, 4]]


def test_lists_that_do_not_fit_their_shape_are_an_error_that_names_file_and_column(tmp_path):
    storage = pa.array([[1, 2, 3]], pa.list_(pa.int64()))
    write(tmp_path / "a.parquet", storage, "ray.data.arrow_tensor", b"[2, 2]")
    with pytest.raises(CorruptDataError, match=r"a\.parquet.*'t'"):
        ray.data.read_parquet(str(tmp_path)).take_all()
