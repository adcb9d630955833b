from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

import penstock

ROWS = 3


def three():
    return penstock.data.range(ROWS)


SOURCES = {
    "items": lambda: penstock.data.from_items([{}] * ROWS),
    "a frame": lambda: penstock.data.from_pandas(pd.DataFrame(index=range(ROWS))),
    "a table": lambda: penstock.data.from_arrow(pa.table({"a": [1] * ROWS}).select([])),
    "columns dropped": lambda: three().drop_columns(["id"]),
    "no columns selected": lambda: three().select_columns([]),
    "a row function": lambda: three().map(lambda row: {}),
    "a row function that yields": lambda: three().flat_map(lambda row: [{}]),
    "a batch function's rows": lambda: three().map_batches(lambda batch: [{} for _ in batch["id"]]),
    "a batch function's frame": lambda: three().map_batches(
        lambda frame: frame[[]], batch_format="pandas"
    ),
    "a batch function's table": lambda: three().map_batches(
        lambda table: table.select([]), batch_format="pyarrow"
    ),
    "a batch function that keeps rows": lambda: three().map_batches(
        lambda batch: {}, udf_modifying_row_count=False
    ),
    "a generator": lambda: three().map_batches(
        lambda frame: iter([frame[[]]]), batch_format="pandas"
    ),
}


@pytest.fixture(params=SOURCES)
def empty_rows(request):
    return SOURCES[request.param]()


def test_rows_without_columns_are_counted_and_handed_out_as_rows(empty_rows):
    assert empty_rows.count() == ROWS
    assert empty_rows.take_all() == [{}] * ROWS
    assert empty_rows.take(2) == [{}] * 2
    assert list(empty_rows.iter_rows()) == [{}] * ROWS
    assert empty_rows.to_pandas().shape == (ROWS, 0)
    assert empty_rows.schema().names == []


def test_batches_of_rows_without_columns_have_their_rows(empty_rows):
    assert list(empty_rows.iter_batches(batch_size=2)) == [{}, {}]
    for batch_format, length in (("pandas", len), ("pyarrow", lambda table: table.num_rows)):
        batches = empty_rows.iter_batches(batch_size=2, batch_format=batch_format)
        assert [length(batch) for batch in batches] == [2, 1]


def test_rows_without_columns_are_kept_in_memory(empty_rows):
    held = empty_rows.materialize()
    assert (held.count(), held.num_blocks(), held.take_all()) == (ROWS, 1, [{}] * ROWS)


def test_functions_get_rows_without_columns(empty_rows):
    assert empty_rows.map(lambda row: {"keys": len(row)}).take_all() == [{"keys": 0}] * ROWS
    frames = empty_rows.map_batches(lambda frame: {"n": [len(frame)]}, batch_format="pandas")
    assert frames.take_all() == [{"n": ROWS}]
    assert empty_rows.filter(lambda row: not row).take_all() == [{}] * ROWS


def test_rows_without_columns_cannot_be_written(empty_rows, tmp_path):
    with pytest.raises(ValueError, match="cannot hold rows without columns; keep or add one"):
        empty_rows.write_parquet(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_batch_of_no_columns_has_no_rows_where_nothing_tells_how_many():
    nothing = three().map_batches(lambda batch: {})
    assert (nothing.count(), nothing.take_all()) == (0, [])
