from __future__ import annotations

import pandas as pd
import pytest

import penstock


@pytest.fixture
def ds():
    return penstock.data.range(10, override_num_blocks=3)


def test_take_gives_the_first_rows(ds):
    assert ds.take(2) == [{"id": 0}, {"id": 1}]
    assert len(penstock.data.range(100).take()) == 20
    assert ds.take(0) == []


def test_take_all_gives_all_rows_up_to_a_limit(ds):
    assert len(ds.take_all(10)) == 10
    with pytest.raises(ValueError, match="more than the given limit of 9 rows"):
        ds.take_all(9)


def test_take_batch_gives_the_first_rows_as_one_batch(ds):
    assert ds.take_batch(7)["id"].tolist() == list(range(7))
    assert isinstance(ds.take_batch(7, batch_format="pandas"), pd.DataFrame)
    assert len(ds.take_batch()["id"]) == 10


def test_take_batch_of_nothing_is_a_value_error():
    with pytest.raises(ValueError, match="empty"):
        penstock.data.range(0).take_batch()


def test_show_prints_a_row_a_line(ds, capsys):
    ds.show(2)
    assert capsys.readouterr().out == "{'id': 0}\n{'id': 1}\n"


def test_count_runs_only_where_metadata_does_not_tell(ds):
    assert ds.count() == 10
    assert ds._last_run is None
    filtered = ds.filter(expr="id > 6")
    assert filtered.count() == 3
    assert filtered._last_run is not None


def test_the_schema_is_known_without_running_where_no_function_hides_it(ds):
    assert ds.columns(fetch_if_missing=False) == ["id"]
    assert ds._last_run is None


def test_the_schema_behind_a_function_comes_from_the_first_row(ds):
    mapped = ds.map(lambda row: {"x": row["id"] / 2, "t": "a"})
    assert mapped.schema(fetch_if_missing=False) is None
    assert mapped.columns() == ["x", "t"]
    assert [str(kind) for kind in mapped.schema().types] == ["double", "string"]


def test_the_schema_of_no_rows_is_none():
    assert penstock.data.range(10).map(lambda row: row).filter(expr="id < 0").schema() is None


def test_to_pandas_gives_one_frame(ds):
    frame = ds.to_pandas()
    assert frame["id"].tolist() == list(range(10))
    assert list(frame.index) == list(range(10))
    with pytest.raises(ValueError, match=r"use ds\.limit\(3\)\.to_pandas\(\)"):
        ds.to_pandas(3)


def test_to_pandas_of_nothing_has_the_columns_with_their_types():
    frame = penstock.data.range(0).to_pandas()
    assert list(frame.columns) == ["id"]
    assert frame["id"].dtype == "int64"


def test_materialize_keeps_the_rows(ds, tmp_path):
    calls = tmp_path / "calls"

    def note(row):
        with calls.open("a") as file:
            file.write("x")
        return row

    held = ds.map(note).materialize()
    assert held.take_all() == ds.take_all() == held.take_all()
    assert held.count() == 10
    assert len(calls.read_text()) == 10
    assert held.materialize() is held


def test_consuming_twice_runs_twice(ds, tmp_path):
    calls = tmp_path / "calls"

    def note(row):
        with calls.open("a") as file:
            file.write("x")
        return row

    mapped = ds.map(note)
    mapped.take_all()
    mapped.take_all()
    assert len(calls.read_text()) == 20


def test_the_number_of_blocks_needs_a_materialised_data_set(ds):
    with pytest.raises(NotImplementedError, match=r"ds\.materialize\(\)\.num_blocks"):
        ds.num_blocks()
    assert ds.materialize().num_blocks() == 3


def test_sizes_are_bytes_in_memory(ds):
    assert ds.size_bytes() >= 80
    assert ds.materialize().size_bytes() >= 80


def test_stats_tell_of_the_last_run(ds):
    mapped = ds.map(lambda row: row)
    assert "not run yet" in mapped.stats()
    mapped.take_all()
    stats = mapped.stats()
    assert "Map(<lambda>)" in stats
    assert "10 rows" in stats
    assert "busy" in stats


def test_input_files_of_data_in_memory_are_none(ds):
    assert ds.input_files() == []
