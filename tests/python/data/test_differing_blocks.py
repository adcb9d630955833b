"""Blocks whose columns differ are brought to one schema wherever they meet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.exceptions import SchemaMismatchError

BATCHES = [
    {"n": np.array([1, 2]), "i": np.array([1, 2], np.int32), "t": [None, None]},
    {"t": ["x", "y"], "n": np.array([0.5, 1.5]), "i": np.array([3, 4], np.int64)},
    {"n": np.array([5, 6]), "new": [True, False]},
]
ROWS = [
    {"n": 1.0, "i": 1, "t": None, "new": None},
    {"n": 2.0, "i": 2, "t": None, "new": None},
    {"n": 0.5, "i": 3, "t": "x", "new": None},
    {"n": 1.5, "i": 4, "t": "y", "new": None},
    {"n": 5.0, "i": None, "t": None, "new": True},
    {"n": 6.0, "i": None, "t": None, "new": False},
]
MIXED = [{"a": np.array([1])}, {"a": ["x"]}]


def yielding(batches):
    """Return a data set whose blocks are these batches, each from a task of its own."""
    source = penstock.data.range(len(batches), override_num_blocks=len(batches))
    return source.map_batches(lambda batch: batches[int(batch["id"][0])], batch_size=1)


def typed(rows):
    return [{name: (type(value), value) for name, value in row.items()} for row in rows]


def test_taken_rows_have_one_schema():
    assert typed(yielding(BATCHES).take_all()) == typed(ROWS)
    assert typed(yielding(BATCHES).take(6)) == typed(ROWS)


def test_a_data_frame_has_one_schema():
    frame = yielding(BATCHES).to_pandas()
    assert list(frame.columns) == ["n", "i", "t", "new"]
    assert frame["n"].tolist() == [row["n"] for row in ROWS]
    assert frame["t"].tolist() == [row["t"] for row in ROWS]


def test_what_is_materialised_has_one_schema():
    held = yielding(BATCHES).materialize()
    assert typed(held.take_all()) == typed(ROWS)
    assert held.schema().names == ["n", "i", "t", "new"]


def test_batches_across_blocks_are_unified():
    (batch,) = yielding(BATCHES).iter_batches(batch_size=6, batch_format="pyarrow")
    assert batch.to_pylist() == ROWS


def test_a_worker_gets_batches_of_one_schema():
    def columns_of(batch):
        return {"text": [repr({name: str(batch[name].dtype) for name in batch})]}

    (row,) = yielding(BATCHES).map_batches(columns_of, batch_size=6).take_all()
    assert eval(row["text"]).keys() == {"n", "i", "t", "new"}


@pytest.mark.parametrize("rows_per_file", [1, 6])
def test_what_is_written_reads_back_as_one_schema(rows_per_file, tmp_path):
    yielding(BATCHES).write_parquet(tmp_path, min_rows_per_file=rows_per_file)
    assert typed(penstock.data.read_parquet(tmp_path).take_all()) == typed(ROWS)


@pytest.mark.parametrize(
    "consume",
    [
        lambda ds: ds.take_all(),
        lambda ds: ds.to_pandas(),
        lambda ds: ds.materialize(),
        lambda ds: list(ds.iter_batches(batch_size=2)),
        lambda ds: ds.map_batches(lambda batch: batch, batch_size=2).take_all(),
    ],
    ids=["take_all", "to_pandas", "materialize", "iter_batches", "map_batches"],
)
def test_rows_that_no_type_holds_are_an_error_wherever_they_meet(consume):
    with pytest.raises(SchemaMismatchError, match=r"Column 'a' is int64 .* string") as caught:
        consume(yielding(MIXED))
    assert "file" not in str(caught.value)


def test_rows_that_no_type_holds_are_not_written_and_named_by_stage_and_row(tmp_path):
    with pytest.raises(SchemaMismatchError, match=r"Write.*Column 'a' is .*row \d of range"):
        yielding(MIXED).write_parquet(tmp_path / "out", min_rows_per_file=2)
    assert not (tmp_path / "out").exists()


def test_tables_that_differ_make_one_data_set():
    tables = [pa.table({"a": [1]}), pa.table({"b": ["x"], "a": [2.5]})]
    rows = penstock.data.from_arrow(tables).take_all()
    assert rows == [{"a": 1.0, "b": None}, {"a": 2.5, "b": "x"}]


def test_files_that_differ_read_as_one_schema_and_can_be_filtered(tmp_path):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": ["x"], "a": [2.5]}), tmp_path / "2.parquet")
    ds = penstock.data.read_parquet(tmp_path)
    assert ds.take_all() == [{"a": 1.0, "b": None}, {"a": 2.0, "b": None}, {"a": 2.5, "b": "x"}]
    assert ds.schema().names == ["a", "b"]
    assert ds.count() == 3
    assert ds.filter(expr="b == 'x'").take_all() == [{"a": 2.5, "b": "x"}]
    assert ds.filter(expr="a > 1.5").select_columns(["a"]).take_all() == [{"a": 2.0}, {"a": 2.5}]
