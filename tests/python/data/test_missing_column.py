"""A column that is not there is one kind of error, whoever asks for it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.exceptions import MissingColumnError

ASK = {
    "select": lambda ds: ds.select_columns(["nope"]),
    "select of two": lambda ds: ds.select_columns(["a", "nope"]),
    "drop": lambda ds: ds.drop_columns(["nope"]),
    "rename": lambda ds: ds.rename_columns({"nope": "c"}),
    "filter": lambda ds: ds.filter(expr="nope > 1"),
    "select after a function": lambda ds: ds.map_batches(lambda batch: batch).select_columns(
        ["nope"]
    ),
}


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("source", ["file", "memory"])
def test_a_missing_column_is_named_with_the_stage_and_the_columns_there_are(ask, source, tmp_path):
    table = pa.table({"a": [1], "b": [2]})
    pq.write_table(table, tmp_path / "x.parquet")
    read = penstock.data.read_parquet
    ds = read(tmp_path) if source == "file" else penstock.data.from_arrow(table)
    with pytest.raises(MissingColumnError, match=r"reads column 'nope'.*columns: a, b") as caught:
        ASK[ask](ds).take_all()
    assert isinstance(caught.value, KeyError)
    assert any(
        stage in str(caught.value) for stage in ("Read", "Project", "Drop", "Rename", "Filter")
    )


def test_a_missing_column_of_a_reader_is_the_same_error(tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "x.parquet")
    with pytest.raises(MissingColumnError, match=r"x\.parquet.*'nope'.*columns: a, b"):
        penstock.data.read_parquet(tmp_path, columns=["nope"]).take_all()
