"""A data set as one stream of Arrow batches, by the protocol that other libraries take."""

from __future__ import annotations

import gc

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data import from_arrow, from_items, read_csv


def test_pyarrow_takes_a_data_set_as_a_stream():
    reader = pa.RecordBatchReader.from_stream(penstock.data.range(100, override_num_blocks=4))
    assert reader.schema.names == ["id"]
    assert [batch.num_rows for batch in reader] == [25, 25, 25, 25]
    ds = penstock.data.range(10).map(lambda row: {"x": str(row["id"])})
    assert pa.table(ds).to_pydict() == {"x": [str(number) for number in range(10)]}
    assert pa.table(ds.materialize()).num_rows == 10


def test_nothing_runs_before_the_first_batch_is_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("n\n1\n")
    ds = read_csv(tmp_path)
    reader = pa.RecordBatchReader.from_stream(ds)
    assert ds._last_run is None
    assert reader.read_all().to_pydict() == {"n": [1]}
    assert ds._last_run is not None


def test_rows_come_while_others_are_still_made():
    ds = penstock.data.range(10**12, override_num_blocks=1000)
    reader = pa.RecordBatchReader.from_stream(ds)
    first = reader.read_next_batch()
    assert first["id"][0].as_py() == 0
    assert ds._last_run.snapshot() is not None


def test_a_stream_that_is_dropped_ends_its_job():
    ds = penstock.data.range(10**12, override_num_blocks=1000)
    reader = pa.RecordBatchReader.from_stream(ds)
    reader.read_next_batch()
    run = ds._last_run
    assert run._pipeline is not None
    del reader
    gc.collect()
    assert run._pipeline is None


def test_each_stream_runs_the_data_set_anew():
    ds = penstock.data.range(5)
    assert pa.table(ds) == pa.table(ds)


def fail_at_two(row):
    if row["id"] == 2:
        raise ValueError("this row is bad")
    return row


def test_the_error_that_ends_a_job_ends_the_stream_with_its_text(tmp_path):
    ds = penstock.data.range(3, override_num_blocks=3).map(fail_at_two)
    with pytest.raises((pa.ArrowException, OSError), match="this row is bad"):
        pa.table(ds)
    (tmp_path / "gone.csv").write_text("n\n1\n")
    ds = read_csv(tmp_path / "gone.csv")
    reader = pa.RecordBatchReader.from_stream(ds)
    (tmp_path / "gone.csv").unlink()
    with pytest.raises((pa.ArrowException, OSError), match=r"gone\.csv"):
        reader.read_all()


def test_later_blocks_are_brought_to_the_columns_of_the_first():
    tables = [pa.table({"a": [1], "b": ["x"]}), pa.table({"b": ["y"]})]
    assert pa.table(from_arrow(tables)).to_pydict() == {"a": [1, None], "b": ["x", "y"]}

    def text_later(row):
        return {"x": 1 if row["id"] == 0 else "text"}

    ds = penstock.data.range(2, override_num_blocks=2).map(text_later)
    with pytest.raises((pa.ArrowException, OSError), match="types of the first ones"):
        pa.table(ds)


def test_a_wanted_schema_is_what_the_stream_has():
    wanted = pa.schema([("id", pa.float64())])
    reader = pa.RecordBatchReader.from_stream(penstock.data.range(3), schema=wanted)
    assert reader.schema == wanted
    assert reader.read_all().to_pydict() == {"id": [0.0, 1.0, 2.0]}


def test_without_rows_the_columns_are_there_where_they_are_known():
    empty = pa.table(penstock.data.range(3).limit(0))
    assert (empty.schema.names, empty.num_rows) == (["id"], 0)
    unknown = penstock.data.range(3).filter(lambda row: False).map(lambda row: {"x": 1})
    assert pa.table(unknown).shape == (0, 0)


def test_tensors_stay_tensors():
    ds = penstock.data.from_numpy(np.arange(12).reshape(3, 2, 2))
    column = pa.table(ds)["data"].combine_chunks()
    assert isinstance(column.type, pa.FixedShapeTensorType)
    np.testing.assert_array_equal(column.to_numpy_ndarray(), np.arange(12).reshape(3, 2, 2))


def test_polars_takes_a_data_set():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(from_items([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]))
    assert frame.to_dicts() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_duckdb_reads_a_data_set_by_the_variables_name():
    duckdb = pytest.importorskip("duckdb")
    numbers = penstock.data.range(1000, override_num_blocks=4)
    assert numbers.count() == 1000
    with duckdb.connect() as connection:
        query = "select sum(id), count(*) from numbers where id >= 10"
        total = connection.execute(query).fetchone()
    assert total == (sum(range(10, 1000)), 990)
