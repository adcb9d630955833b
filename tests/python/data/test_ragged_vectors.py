"""Vectors whose lengths vary by row come out as the arrays that they went in as."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.data.block import BlockAccessor


def grown(row):
    return {"v": np.full(row["id"] + 1, row["id"], np.float32)}


def equal(_):
    return {"v": np.full(2, 7, np.float32)}


def vectors(batch):
    return {"v": [np.full(int(row) + 1, row, np.float32) for row in batch["id"]]}


def assert_are_vectors(values):
    assert [type(value) for value in values] == [np.ndarray] * len(values)
    assert [value.dtype for value in values] == [np.float32] * len(values)
    assert [value.tolist() for value in values] == [[n] * (n + 1) for n in range(len(values))]


def test_rows_have_arrays_whether_their_lengths_vary_or_not():
    assert_are_vectors([row["v"] for row in penstock.data.range(4).map(grown).take_all()])
    sums = penstock.data.range(4).map(grown).map(lambda row: {"s": row["v"].sum()}).take_all()
    assert [row["s"] for row in sums] == [0, 2, 6, 12]
    assert [type(row["v"]) for row in penstock.data.range(2).map(equal).take_all()] == [
        np.ndarray,
        np.ndarray,
    ]


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_blocks_of_one_length_beside_blocks_of_many(batch_size):
    ds = penstock.data.range(4).map_batches(vectors, batch_size=batch_size)
    assert_are_vectors([row["v"] for row in ds.take_all()])
    (batch,) = ds.iter_batches(batch_size=4)
    assert_are_vectors(list(batch["v"]))
    assert_are_vectors(list(ds.to_pandas()["v"]))
    kinds = ds.map_batches(lambda b: {"t": [type(v).__name__ for v in b["v"]]}, batch_size=4)
    assert {row["t"] for row in kinds.take_all()} == {"ndarray"}


def test_lists_stay_lists_also_beside_arrays():
    def either(row):
        return {"v": [1, 2] if row["id"] % 2 else np.arange(row["id"] + 1)}

    ds = penstock.data.range(4, override_num_blocks=4).map(either).materialize()
    (batch,) = ds.iter_batches(batch_size=4, batch_format="pyarrow")
    assert batch.column("v").to_pylist() == [[0], [1, 2], [0, 1, 2], [1, 2]]
    lists = penstock.data.from_items([{"v": [1]}, {"v": [1, 2]}]).take_all()
    assert [row["v"] for row in lists] == [[1], [1, 2]]


def test_numbers_of_two_types_are_of_the_one_that_holds_both():
    def boxes(row):
        return {"v": np.arange(row["id"]) if row["id"] else np.array([])}

    for blocks in (1, 3):
        ds = penstock.data.range(3, override_num_blocks=blocks).map(boxes)
        (batch,) = ds.iter_batches(batch_size=3)
        assert [vector.tolist() for vector in batch["v"]] == [[], [0.0], [0.0, 1.0]]
    beyond = [np.array([2**53 + 1]), np.array([0.5, 1])]
    with pytest.raises(TypeError, match="must have one type"):
        penstock.data.from_items([{"v": value} for value in beyond])


def test_every_source_in_memory_keeps_them():
    import pandas as pd

    arrays = [np.full(n + 1, n, np.float32) for n in range(3)]
    table = np.empty(3, object)
    table[:] = arrays
    for ds in (
        penstock.data.from_items([{"v": array} for array in arrays]),
        penstock.data.from_pandas(pd.DataFrame({"v": arrays})),
        penstock.data.from_numpy(table).rename_columns({"data": "v"}),
    ):
        assert_are_vectors([row["v"] for row in ds.take_all()])
    frame = pd.DataFrame({"v": arrays, "n": [0, 1, 2]})
    for block in (frame, {"v": arrays, "n": [0, 1, 2]}):
        rows = list(BlockAccessor.for_block(block).iter_rows())
        assert_are_vectors([row["v"] for row in rows])
        assert [list(row) for row in rows] == [["v", "n"]] * 3


@pytest.mark.parametrize("batch_size", [1, 4])
def test_they_come_back_from_parquet(batch_size, tmp_path):
    ds = penstock.data.range(4).map_batches(vectors, batch_size=batch_size)
    ds.write_parquet(tmp_path, min_rows_per_file=4)
    assert_are_vectors([row["v"] for row in penstock.data.read_parquet(tmp_path).take_all()])


def test_nulls_among_them_come_back_from_parquet(tmp_path):
    items = [{"v": np.arange(2)}, {"v": None}, {"v": np.arange(3)}]
    penstock.data.from_items(items).write_parquet(tmp_path)
    rows = penstock.data.read_parquet(tmp_path).take_all()
    assert rows[1]["v"] is None
    assert [rows[0]["v"].tolist(), rows[2]["v"].tolist()] == [[0, 1], [0, 1, 2]]


def test_writers_of_lists_write_their_numbers(tmp_path):
    ds = penstock.data.range(3).map(grown)
    ds.write_json(tmp_path / "json")
    (file,) = (tmp_path / "json").glob("*.json")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["v"] for line in lines] == [[0], [1, 1], [2, 2, 2]]
    ds.write_orc(tmp_path / "orc")
    rows = penstock.data.read_orc(tmp_path / "orc").take_all()
    assert [row["v"] for row in rows] == [[0], [1, 1], [2, 2, 2]]
    ds.write_tfrecords(tmp_path / "tfrecord")
    rows = penstock.data.read_tfrecords(tmp_path / "tfrecord").take_all()
    assert [np.ravel(row["v"]).tolist() for row in rows] == [[0], [1, 1], [2, 2, 2]]
    with pytest.raises(ValueError, match="CSV holds no lists, structs or tensors"):
        ds.write_csv(tmp_path / "csv")


def test_pictures_of_any_size_are_nested_lists_in_json(tmp_path):
    items = [{"t": np.arange(2).reshape(1, 2)}, {"t": None}, {"t": np.arange(4).reshape(2, 2)}]
    penstock.data.from_items(items).write_json(tmp_path)
    (file,) = tmp_path.glob("*.json")
    lines = [json.loads(line)["t"] for line in file.read_text().splitlines()]
    assert lines == [[[0, 1]], None, [[0, 1], [2, 3]]]


def test_samples_of_webdataset_hold_each_as_an_array(tmp_path):
    arrays = [np.arange(3), np.arange(4)]
    items = [{"__key__": str(n), "npy": array} for n, array in enumerate(arrays)]
    penstock.data.from_items(items).write_webdataset(tmp_path)
    rows = penstock.data.read_webdataset(tmp_path).take_all()
    assert [row["npy"].tolist() for row in rows] == [[0, 1, 2], [0, 1, 2, 3]]


def test_a_file_of_numpy_refuses_those_that_differ(tmp_path):
    ds = penstock.data.range(2).map(grown)
    with pytest.raises(ValueError, match=r"Column 'v': all rows of a file must have one shape"):
        ds.write_numpy(tmp_path, column="v")


def test_torch_gets_a_tensor_where_all_are_equal_and_else_a_list():
    pytest.importorskip("torch")
    ds = penstock.data.range(4).map(grown)
    (batch,) = ds.iter_torch_batches(batch_size=4)
    assert [tensor.tolist() for tensor in batch["v"]] == [[n] * (n + 1) for n in range(4)]
    (batch,) = penstock.data.range(2).map(equal).iter_torch_batches(batch_size=2)
    assert tuple(batch["v"].shape) == (2, 2)


def test_tables_get_lists(tmp_path):
    deltalake = pytest.importorskip("deltalake")
    penstock.data.range(3).map(grown).write_delta(tmp_path / "table")
    table = deltalake.DeltaTable(str(tmp_path / "table")).to_pyarrow_table()
    assert sorted(table.column("v").to_pylist()) == [[0], [1, 1], [2, 2, 2]]
