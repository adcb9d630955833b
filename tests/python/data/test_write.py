from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from part_files import part_files

import penstock
from penstock.data import SaveMode


@pytest.fixture
def ds():
    return penstock.data.range(100, override_num_blocks=4)


def parts(folder):
    return sorted(path for path in folder.iterdir() if path.suffix == ".parquet")


def test_what_is_written_reads_back_in_order(ds, tmp_path):
    ds.map(lambda row: {"n": row["id"] * 2}).write_parquet(tmp_path / "out")
    back = penstock.data.read_parquet(tmp_path / "out")
    assert [row["n"] for row in back.take_all()] == list(range(0, 200, 2))


def test_files_hold_at_most_the_rows_asked_for(ds, tmp_path):
    ds.write_parquet(str(tmp_path), max_rows_per_file=30)
    rows = [pq.read_metadata(part).num_rows for part in parts(tmp_path)]
    assert sum(rows) == 100
    assert max(rows) <= 30


@pytest.mark.parametrize("name", ["min_rows_per_file", "num_rows_per_file"])
def test_files_gather_at_least_the_rows_asked_for(ds, tmp_path, name):
    ds.write_parquet(tmp_path, **{name: 40})
    rows = [pq.read_metadata(part).num_rows for part in parts(tmp_path)]
    assert sum(rows) == 100
    assert min(rows[:-1], default=40) >= 40


def test_compression_and_row_groups_can_be_chosen(ds, tmp_path):
    ds.write_parquet(tmp_path, compression="zstd", row_group_size=10, min_rows_per_file=100)
    metadata = pq.read_metadata(parts(tmp_path)[0])
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert metadata.row_group(0).num_rows == 10


def test_appending_keeps_what_is_there(ds, tmp_path):
    ds.write_parquet(tmp_path)
    ds.write_parquet(tmp_path, mode="append")
    assert penstock.data.read_parquet(tmp_path).count() == 200


@pytest.mark.parametrize("mode", [SaveMode.OVERWRITE, "overwrite"])
def test_overwriting_replaces_what_is_there(ds, tmp_path, mode):
    ds.write_parquet(tmp_path / "out")
    ds.limit(5).write_parquet(tmp_path / "out", mode=mode)
    assert penstock.data.read_parquet(tmp_path / "out").count() == 5


def test_ignoring_writes_nothing_where_something_is(ds, tmp_path):
    ds.limit(5).write_parquet(tmp_path / "out")
    ds.write_parquet(tmp_path / "out", mode="ignore")
    assert penstock.data.read_parquet(tmp_path / "out").count() == 5


@pytest.mark.parametrize("mode", [SaveMode.ERROR, SaveMode.CREATE])
def test_a_folder_with_files_can_be_an_error(ds, tmp_path, mode):
    ds.write_parquet(tmp_path / "out")
    with pytest.raises(OSError, match="out"):
        ds.write_parquet(tmp_path / "out", mode=mode)


def test_a_failing_job_leaves_no_file(ds, tmp_path):
    def fail(row):
        if row["id"] == 90:
            raise ValueError("row 90 is bad")
        return row

    with pytest.raises(Exception, match="row 90 is bad"):
        ds.map(fail).write_parquet(tmp_path / "out", max_rows_per_file=10)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize(
    ("cut", "rows"),
    [
        ({"num_blocks": 1}, [100]),
        ({"num_blocks": 3}, [33, 33, 34]),
        ({"target_num_rows_per_block": 40}, [20, 40, 40]),
    ],
)
def test_rows_that_were_cut_into_blocks_are_written_as_a_file_a_block(
    tmp_path, context, ordered, cut, rows
):
    context.execution_options.preserve_order = ordered
    ds = penstock.data.range(100, override_num_blocks=7).map_batches(lambda batch: batch)
    ds.repartition(**cut).drop_columns([]).write_json(tmp_path / "out")
    files = part_files(tmp_path / "out")
    assert sorted(len(path.read_text().splitlines()) for path in files) == rows
    written = penstock.data.read_json(tmp_path / "out").take_all()
    assert sorted(row["id"] for row in written) == list(range(100))
    if ordered:
        assert [row["id"] for row in written] == list(range(100))


def test_blocks_are_gathered_where_files_are_to_have_a_least_size(tmp_path):
    ds = penstock.data.range(100).repartition(10)
    ds.write_json(tmp_path, min_rows_per_file=35)
    lengths = sorted(len(path.read_text().splitlines()) for path in part_files(tmp_path))
    assert lengths == [20, 40, 40]


def test_an_unknown_mode_is_a_value_error_that_lists_the_known(ds, tmp_path):
    with pytest.raises(ValueError, match=r"append, overwrite.*got: 'merge'"):
        ds.write_parquet(tmp_path, mode="merge")


def test_limits_that_contradict_each_other_are_a_value_error(ds, tmp_path):
    with pytest.raises(ValueError, match="must not exceed"):
        ds.write_parquet(tmp_path, min_rows_per_file=10, max_rows_per_file=5)


@pytest.mark.parametrize("option", [{"catalog": "a"}, {"use_byte_stream_split": True}])
def test_options_that_are_not_supported_are_refused_by_name(ds, tmp_path, option):
    with pytest.raises(NotImplementedError, match=next(iter(option))):
        ds.write_parquet(tmp_path, **option)


def test_stats_tell_of_the_write(ds, tmp_path):
    ds.write_parquet(tmp_path)
    assert "100 rows" in ds.stats()


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_result_without_rows_writes_its_columns_alone(ds, mode, tmp_path):
    none = ds.filter(expr="id > 1000").rename_columns({"id": "n"})
    none.write_parquet(tmp_path / "out", mode=mode)
    assert len(parts(tmp_path / "out")) == 1
    back = penstock.data.read_parquet(tmp_path / "out")
    assert back.count() == 0
    assert back.take_all() == []
    assert back.schema().names == ["n"]


@pytest.mark.parametrize(
    ("kind", "reader"),
    [
        ("parquet", "parquet"),
        ("csv", "csv"),
        ("json", "json"),
        ("orc", "orc"),
        ("arrow", "feather"),
    ],
)
def test_a_result_without_rows_whose_columns_a_function_decides_reads_back_as_no_rows(
    kind, reader, ds, tmp_path
):
    nothing = ds.filter(expr="id > 1000").map_batches(lambda batch: batch)
    write, read = f"write_{kind}", getattr(penstock.data, f"read_{reader}")
    getattr(nothing, write)(tmp_path / "out")
    assert read(tmp_path / "out").take_all() == []
    getattr(ds, write)(tmp_path / "out", mode="append")
    assert read(tmp_path / "out").take_all() == ds.take_all()


def test_a_result_without_rows_keeps_the_columns_that_name_folders(tmp_path):
    table = pa.table({"n": pa.array([], pa.int64()), "year": pa.array([], pa.string())})
    penstock.data.from_arrow(table).write_parquet(tmp_path, partition_cols=["year"])
    again = penstock.data.read_parquet(tmp_path)
    assert again.schema().names == ["n", "year"]
    assert again.take_all() == []


def test_a_name_that_the_system_refuses_is_an_error_with_its_reason(ds, tmp_path):
    with pytest.raises(OSError, match=r"File name too long; choose a shorter path; got: .*xxx"):
        ds.write_parquet(tmp_path / ("x" * 300))


def test_a_folder_that_would_lie_in_a_file_is_an_error_with_its_reason(ds, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"Not a directory; .*; got: .*file/out"):
        ds.write_parquet(tmp_path / "file" / "out")
