from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

import penstock


@pytest.fixture
def folder(tmp_path):
    """Three Parquet files of ten rows in two row groups each: n from 0 up to 29, and its text."""
    for part in range(3):
        numbers = list(range(part * 10, part * 10 + 10))
        table = pa.table({"n": numbers, "text": [str(n) for n in numbers]})
        pq.write_table(table, tmp_path / f"part-{part}.parquet", row_group_size=5)
    return tmp_path


def numbers(ds):
    return [row["n"] for row in ds.take_all()]


def test_parquet_folders_are_read_in_the_order_of_their_names(folder):
    assert numbers(penstock.data.read_parquet(folder)) == list(range(30))


def test_parquet_files_are_read_in_the_order_given(folder):
    paths = [folder / "part-2.parquet", str(folder / "part-0.parquet")]
    assert numbers(penstock.data.read_parquet(paths)) == [*range(20, 30), *range(10)]


def test_only_the_wanted_columns_are_there_in_their_order(folder):
    ds = penstock.data.read_parquet(folder, columns=["text", "n"])
    assert ds.take(1) == [{"text": "0", "n": 0}]
    assert penstock.data.read_parquet(folder, columns=["text"]).take(1) == [{"text": "0"}]


def test_the_path_of_each_row_can_be_a_column(folder):
    rows = penstock.data.read_parquet(folder, include_paths=True).take_all()
    assert rows[10]["path"].endswith("part-1.parquet")


def test_input_files_are_known_without_running(folder):
    files = penstock.data.read_parquet(folder).input_files()
    assert [file.rsplit("/", 1)[1] for file in files] == [f"part-{i}.parquet" for i in range(3)]


def test_rows_of_parquet_are_counted_from_the_footers(folder):
    ds = penstock.data.read_parquet(folder)
    assert ds.count() == 30
    assert ds._last_run is None


def test_csv_has_a_header_and_types_follow_from_the_values(tmp_path):
    (tmp_path / "a.csv").write_text("n,text\n1,x\n2,y\n")
    ds = penstock.data.read_csv(tmp_path / "a.csv")
    assert ds.take_all() == [{"n": 1, "text": "x"}, {"n": 2, "text": "y"}]


def test_csv_options_of_pyarrow_are_respected(tmp_path):
    (tmp_path / "a.csv").write_text("1;x\n2;y\n")
    ds = penstock.data.read_csv(
        tmp_path / "a.csv",
        parse_options=csv.ParseOptions(delimiter=";"),
        read_options=csv.ReadOptions(column_names=["n", "text"]),
    )
    assert ds.take_all() == [{"n": 1, "text": "x"}, {"n": 2, "text": "y"}]


def test_json_is_an_array_or_an_object_a_line(tmp_path):
    rows = [{"n": 1, "tags": ["a"]}, {"n": 2, "tags": []}]
    (tmp_path / "array.json").write_text(json.dumps(rows))
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert penstock.data.read_json(tmp_path / "array.json").take_all() == rows
    assert penstock.data.read_json(tmp_path / "lines.jsonl").take_all() == rows
    assert penstock.data.read_json(tmp_path / "lines.jsonl", lines=True).count() == 2


def test_range_counts_in_the_column_id():
    assert penstock.data.range(3).take_all() == [{"id": 0}, {"id": 1}, {"id": 2}]
    assert penstock.data.range(0).take_all() == []


def test_range_tensor_fills_tensors():
    batch = penstock.data.range_tensor(3, shape=(2, 2)).take_batch(3)
    assert batch["data"].tolist() == [[[i, i], [i, i]] for i in range(3)]


def test_the_wished_number_of_blocks_is_made():
    ds = penstock.data.range(100, override_num_blocks=7).materialize()
    assert ds.num_blocks() == 7
    assert penstock.data.range(100, parallelism=4).materialize().num_blocks() == 4


def test_a_missing_path_is_a_file_not_found_error_that_names_it(tmp_path):
    path = str(tmp_path / "absent.parquet")
    with pytest.raises(FileNotFoundError, match=r"absent\.parquet"):
        penstock.data.read_parquet(path).take(1)


def test_missing_paths_can_be_left_out(folder):
    paths = [folder / "absent.parquet", folder / "part-1.parquet"]
    ds = penstock.data.read_parquet(paths, ignore_missing_paths=True)
    assert numbers(ds) == list(range(10, 20))


def test_an_empty_folder_is_an_error_that_names_it(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises((ValueError, FileNotFoundError), match="empty"):
        penstock.data.read_parquet(tmp_path / "empty").take(1)


def test_a_corrupt_file_is_an_error_that_names_it(tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 this is not Parquet PAR1")
    with pytest.raises(OSError, match=r"bad\.parquet"):
        penstock.data.read_parquet(tmp_path).take_all()


def test_a_column_that_is_not_there_is_an_error_that_names_it_and_those_that_are(folder):
    with pytest.raises((KeyError, ValueError), match="absent") as error:
        penstock.data.read_parquet(folder, columns=["absent"]).take_all()
    assert "text" in str(error.value)


@pytest.mark.parametrize(
    "option",
    [
        {"meta_provider": object()},
        {"label_selector": {"zone": "a"}},
        {"catalog": object()},
    ],
)
def test_options_that_are_not_supported_are_refused_by_name(option, tmp_path):
    for read in ("read_parquet", "read_csv", "read_json"):
        with pytest.raises(NotImplementedError, match=f"{read}.*: {next(iter(option))}"):
            getattr(penstock.data, read)(tmp_path, **option)


def test_no_path_is_a_value_error():
    with pytest.raises(ValueError, match="At least one path"):
        penstock.data.read_parquet([])


@pytest.mark.parametrize(("n", "error"), [(-1, ValueError), (1.5, TypeError)])
def test_range_needs_a_whole_number_that_is_not_negative(n, error):
    with pytest.raises(error, match="n must"):
        penstock.data.range(n)
