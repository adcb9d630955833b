from __future__ import annotations

import base64
import gzip
import json
import math
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest
from every_type import flat_table, nested_table
from part_files import part_files

import penstock
from penstock.data import FilenameProvider


def files(folder, ending=""):
    return [path for path in part_files(folder) if path.name.endswith(ending)]


def written(ds, verb, folder, **options):
    """Write a data set and return its only file."""
    getattr(ds, verb)(folder, **options)
    (file,) = files(folder)
    return file


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_parquet_keeps_every_type(tmp_path):
    table = nested_table()
    file = written(penstock.data.from_arrow(table), "write_parquet", tmp_path)
    assert str(pq.read_table(file).cast(table.schema)) == str(table)


def test_arrow_keeps_every_type(tmp_path):
    table = nested_table()
    file = written(penstock.data.from_arrow(table), "write_arrow", tmp_path, compression="zstd")
    assert str(pyarrow.feather.read_table(file)) == str(table)


def test_orc_keeps_what_it_has_types_for(tmp_path):
    table = nested_table().drop_columns(["time", "nothing", "tensor", "zoned", "uint64"])
    file = written(penstock.data.from_arrow(table), "write_orc", tmp_path, compression="zstd")
    back = pyarrow.orc.read_table(file)
    assert str(back.cast(table.schema)) == str(table)


def test_orc_refuses_what_it_cannot_hold_by_column(tmp_path):
    with pytest.raises(ValueError, match="Column 'time': ORC has no such type"):
        penstock.data.from_arrow(nested_table()).write_orc(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_csv_reads_back_as_it_was(tmp_path):
    table = flat_table().drop_columns(["binary", "nothing"])
    file = written(penstock.data.from_arrow(table), "write_csv", tmp_path)
    options = pyarrow.csv.ConvertOptions(
        column_types=table.schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    back = pyarrow.csv.read_csv(file, convert_options=options, parse_options=parse)
    assert str(back) == str(table)


def test_csv_takes_arrows_options_and_refuses_others(tmp_path):
    ds = penstock.data.from_items([{"a": "x", "b": 1}])
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=";", quoting_style="none")
    file = written(ds, "write_csv", tmp_path / "one", write_options=options)
    assert file.read_text() == "x;1\n"
    ds.write_csv(tmp_path / "two", arrow_csv_args_fn=lambda: {"write_options": options})
    assert files(tmp_path / "two")[0].read_text() == "x;1\n"
    with pytest.raises(TypeError, match="sep"):
        ds.write_csv(tmp_path, sep=";")


@pytest.mark.parametrize("column", ["list", "struct", "tensor"])
def test_csv_refuses_nested_columns_by_name(tmp_path, column):
    ds = penstock.data.from_arrow(nested_table().select(["int64", column]))
    with pytest.raises(ValueError, match=f"Column '{column}': CSV holds no lists"):
        ds.write_csv(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_json_keeps_every_value(tmp_path):
    table = nested_table()
    file = written(penstock.data.from_arrow(table), "write_json", tmp_path)
    rows = lines_of(file)
    assert [row["int64"] for row in rows] == [-(2**63), 2**63 - 1, 0, None, 1]
    assert [row["float64"] for row in rows] == [0.1, None, None, None, 1e300]
    assert [row["float32"] for row in rows] == [0.1, None, None, None, 1.0]
    assert [row["text"] for row in rows] == table["text"].to_pylist()
    assert base64.b64decode(rows[0]["binary"]) == b"\x00\xff"
    assert '"decimal":12345678901234567890.12,' in file.read_text()
    assert rows[0]["time"] == "01:02:03.000004"
    assert [row["list"] for row in rows] == table["list"].to_pylist()
    assert [row["struct"] for row in rows] == table["struct"].to_pylist()
    assert rows[1]["tensor"] == [[4, 5], [6, 7]]
    assert file.read_text().isascii()


def test_json_writes_times_as_pandas_does(tmp_path):
    table = flat_table().select(["date", "moment", "zoned"])
    frame = table.to_pandas()
    ds = penstock.data.from_arrow(table)
    for name, options in {"epoch": {"date_unit": "us"}, "iso": {"date_unit": "ms"}}.items():
        file = written(ds, "write_json", tmp_path / name, date_format=name, **options)
        with warnings.catch_warnings(action="ignore"):  # pandas wants to give up "epoch".
            expected = frame[["moment", "zoned"]].to_json(
                orient="records", lines=True, date_format=name, **options
            )
        ours = [{key: row[key] for key in ("moment", "zoned")} for row in lines_of(file)]
        assert ours == [json.loads(line) for line in expected.splitlines()]
    default = lines_of(written(ds, "write_json", tmp_path / "default"))
    assert default[0]["date"] == -86_400_000
    assert lines_of(files(tmp_path / "iso")[0])[1]["date"] == "2024-02-29"


def test_json_reads_back_through_our_reader(tmp_path):
    rows = [{"a": index, "b": f"{index}\n", "c": [index, None]} for index in range(100)]
    penstock.data.from_items(rows).write_json(tmp_path)
    assert penstock.data.read_json(tmp_path).take_all() == rows


def test_json_can_be_one_list_and_keep_its_characters(tmp_path):
    ds = penstock.data.from_items([{"a": "ä😀"}, {"a": "b"}])
    file = written(ds, "write_json", tmp_path, lines=False, force_ascii=False, orient="records")
    assert "ä😀" in file.read_text()
    assert json.loads(file.read_text()) == [{"a": "ä😀"}, {"a": "b"}]
    none = written(ds.limit(0), "write_json", tmp_path / "none", lines=False)
    assert json.loads(none.read_text()) == []


@pytest.mark.parametrize("option", [{"orient": "split"}, {"double_precision": 3}, {"indent": 2}])
def test_json_refuses_options_that_it_cannot_honour_by_name(tmp_path, option):
    ds = penstock.data.range(3)
    with pytest.raises(NotImplementedError, match=next(iter(option))):
        ds.write_json(tmp_path, **option)


@pytest.mark.parametrize("verb", ["write_csv", "write_json"])
def test_whole_files_can_be_compressed(tmp_path, verb):
    ds = penstock.data.range(10)
    file = written(ds, verb, tmp_path / "one", arrow_open_stream_args={"compression": "gzip"})
    assert file.suffixes[-1] == ".gz"
    assert len(gzip.decompress(file.read_bytes()).splitlines()) >= 10
    read = getattr(penstock.data, verb.replace("write", "read"))
    assert read(tmp_path / "one").count() == 10
    with pytest.raises(ValueError, match="rar"):
        getattr(ds, verb)(tmp_path, arrow_open_stream_args={"compression": "rar"})


@pytest.mark.parametrize(
    ("verb", "back"),
    [
        ("write_parquet", pq.read_table),
        ("write_csv", pyarrow.csv.read_csv),
        ("write_orc", pyarrow.orc.read_table),
        ("write_arrow", pyarrow.feather.read_table),
    ],
)
def test_a_result_without_rows_is_one_file_with_its_columns(tmp_path, verb, back):
    file = written(penstock.data.range(10).filter(expr="id > 99"), verb, tmp_path)
    table = back(file)
    assert (table.column_names, table.num_rows) == (["id"], 0)


@pytest.mark.parametrize(
    "verb", ["write_parquet", "write_csv", "write_json", "write_orc", "write_arrow"]
)
def test_equal_input_makes_equal_files_whatever_the_workers(tmp_path, verb):
    def double(batch):
        return {"x": batch["id"] * 2, "text": np.char.mod("%d", batch["id"])}

    ds = penstock.data.range(1000, override_num_blocks=8)
    contents = []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        getattr(ds.map_batches(double, batch_size=64, concurrency=workers), verb)(folder)
        contents.append([file.read_bytes() for file in files(folder)])
    assert contents[0] == contents[1]


def test_partition_columns_name_folders_that_readers_know(tmp_path):
    values = ["a/b", "é=ü", "", None, "..", "50%"]
    table = pa.table({"x": range(60), "city": values * 10, "year": [2020, 2021] * 30})
    ds = penstock.data.from_arrow(table).repartition(3)
    ds.write_parquet(tmp_path, partition_cols=["year", "city"])
    assert {path.parent.parent.name for path in part_files(tmp_path)} == {"year=2020", "year=2021"}
    assert (tmp_path / "year=2020" / "city=a%2Fb").is_dir()
    assert (tmp_path / "year=2021" / "city=__HIVE_DEFAULT_PARTITION__").is_dir()
    assert pq.read_schema(files(tmp_path, ".parquet")[0]).names == ["x"]
    back = {row["x"]: row for row in pq.read_table(tmp_path).to_pylist()}
    assert sorted(back) == list(range(60))
    assert [back[index]["year"] for index in range(60)] == [2020, 2021] * 30
    assert [back[index]["city"] for index in (0, 1, 3, 4, 5)] == ["a/b", "é=ü", None, "..", "50%"]


def test_many_partitions_keep_few_files_open(run_script, tmp_path):
    done = run_script(f"""
import resource
import penstock
resource.setrlimit(resource.RLIMIT_NOFILE, (180, 180))
ids = penstock.data.range(1000, override_num_blocks=5)
ds = ids.with_column("key", penstock.data.col("id") % 200)
ds.write_parquet({str(tmp_path / "out")!r}, partition_cols=["key"], min_rows_per_file=1000)
""")
    assert done.stderr == ""
    assert sorted(pq.read_table(tmp_path / "out")["id"].to_pylist()) == list(range(1000))


def test_partition_columns_that_are_all_or_missing_are_errors(tmp_path):
    ds = penstock.data.range(5)
    with pytest.raises(ValueError, match="All columns name folders"):
        ds.write_parquet(tmp_path / "out", partition_cols=["id"])
    with pytest.raises(ValueError, match=r"no column to name folders by[^;]*;.*'year'"):
        ds.write_parquet(tmp_path / "out", partition_cols=["year"])
    assert not (tmp_path / "out").exists()


class Named(FilenameProvider):
    def get_filename_for_task(self, write_uuid, task_index):
        return f"tâsk {task_index}.csv"


def test_a_provider_names_the_files(tmp_path):
    ds = penstock.data.range(100, override_num_blocks=4)
    ds.write_csv(tmp_path, filename_provider=Named(), min_rows_per_file=30)
    names = [file.name for file in files(tmp_path)]
    assert names == [f"tâsk {number}.csv" for number in range(len(names))]
    assert penstock.data.read_csv(tmp_path).count() == 100


def test_a_provider_may_replace_its_own_files(tmp_path):
    for _ in range(2):
        penstock.data.range(10).write_csv(tmp_path, filename_provider=Named(), mode="overwrite")
    assert [file.name for file in files(tmp_path)] == ["tâsk 0.csv"]
    with pytest.raises(OSError, match=r"tâsk 0\.csv"):
        penstock.data.range(10).write_csv(tmp_path, filename_provider=Named())


def test_overwriting_replaces_and_removes_files_by_the_endings_that_a_provider_gives(tmp_path):
    class Lines(FilenameProvider):
        def get_filename_for_task(self, write_uuid, task_index):
            return f"{task_index}.jsonl"

    (tmp_path / "notes.txt").write_text("mine")
    penstock.data.range(3).write_json(tmp_path)  # Named by us, and of this format too.
    for count in (4, 2):
        ds = penstock.data.range(10).repartition(count)
        ds.write_json(tmp_path, filename_provider=Lines(), mode="overwrite")
        names = [*(f"{number}.jsonl" for number in range(count)), "notes.txt"]
        assert [file.name for file in files(tmp_path)] == names
    assert penstock.data.read_json([tmp_path / "0.jsonl", tmp_path / "1.jsonl"]).count() == 10


@pytest.mark.parametrize(
    ("name", "error"),
    [("same.csv", "twice: 'same.csv'"), (7, "must return a str"), (None, "must return a str")],
)
def test_a_provider_that_cannot_name_is_refused_before_anything_runs(tmp_path, name, error):
    class Bad(FilenameProvider):
        def get_filename_for_task(self, write_uuid, task_index):
            return name

    with pytest.raises((ValueError, TypeError), match=error):
        penstock.data.range(3).write_csv(tmp_path / "out", filename_provider=Bad())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a/{}.csv", ".{}.csv", "_{}.csv"])
def test_names_that_readers_would_not_find_leave_nothing(tmp_path, name):
    class Odd(FilenameProvider):
        def get_filename_for_task(self, write_uuid, task_index):
            return name.format(task_index)

    with pytest.raises(ValueError, match="change the file-name provider"):
        penstock.data.range(3).write_csv(tmp_path / "out", filename_provider=Odd())
    assert not (tmp_path / "out").exists()


def test_a_provider_that_raises_ends_the_job(tmp_path):
    class Late(FilenameProvider):
        def get_filename_for_task(self, write_uuid, task_index):
            if write_uuid != "0" * 32:
                raise KeyError("no name left")
            return str(task_index)

    with pytest.raises(KeyError, match="no name left"):
        penstock.data.range(3).write_csv(tmp_path / "out", filename_provider=Late())
    assert not (tmp_path / "out").exists()


def test_a_folder_of_odd_characters_is_written(tmp_path):
    folder = tmp_path / "a b%20ü=😀'\"\n"
    penstock.data.range(3).write_json(folder)
    assert penstock.data.read_json(folder).count() == 3


def test_files_gather_the_least_bytes_asked_for(tmp_path):
    ds = penstock.data.range(3_500_000)  # Of 8 bytes each.

    def rows(folder, **options):
        ds.write_parquet(folder, **options)
        return [pq.read_metadata(file).num_rows for file in part_files(folder)]

    assert len(rows(tmp_path / "a")) > 3
    gathered = rows(tmp_path / "b", min_bytes_per_file=9_000_000)
    assert sum(gathered) == 3_500_000
    assert len(gathered) > 1
    assert min(gathered[:-1]) * 8 >= 9_000_000
    with pytest.raises(ValueError, match="min_bytes_per_file must be at least 1; got: 0"):
        ds.write_parquet(tmp_path / "bad", min_bytes_per_file=0)


@pytest.mark.parametrize(
    "verb", ["parquet", "csv", "json", "orc", "numpy", "images", "tfrecords", "webdataset"]
)
def test_concurrency_bounds_the_threads_that_write(verb, tmp_path):
    images = penstock.data.range_tensor(4, shape=(2, 2)).map_batches(
        lambda batch: {"data": batch["data"].astype("uint8")}
    )
    ds = images if verb == "images" else penstock.data.range(40, override_num_blocks=8)
    column = {"numpy": {"column": "id"}, "images": {"column": "data"}}.get(verb, {})
    write = getattr(ds, f"write_{verb}")
    write(tmp_path / "out", concurrency=1, **column)
    assert part_files(tmp_path / "out")
    assert ds._last_run.snapshot().stages[-1].slots == 1
    with pytest.raises(ValueError, match="concurrency must be at least 1; got: 0"):
        write(tmp_path / "bad", concurrency=0, **column)


def test_options_not_supported_are_named(tmp_path):
    with pytest.raises(NotImplementedError, match="catalog"):
        penstock.data.range(3).write_parquet(tmp_path, catalog="glue")
    penstock.data.range(3).write_csv(tmp_path / "out", filesystem=pa.fs.LocalFileSystem())


def test_text_that_is_not_utf8_is_an_error_that_names_column_and_file(tmp_path):
    bad = pa.array([b"ok", b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(ValueError, match=r"\.json: Column 'bad': text is not UTF-8 from byte 0"):
        penstock.data.from_arrow(pa.table({"bad": bad})).write_json(tmp_path / "out")


def test_floats_read_back_to_the_last_digit(tmp_path):
    values = np.random.default_rng(0).random(1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    file = written(penstock.data.from_pandas(pd.DataFrame({"x": values})), "write_json", tmp_path)
    assert all(
        math.isclose(row["x"], x, rel_tol=0) for row, x in zip(lines_of(file), values, strict=True)
    )


@pytest.mark.parametrize("verb", ["write_parquet", "write_csv", "write_json", "write_orc"])
def test_types_that_a_format_lacks_are_refused_by_column(tmp_path, verb):
    table = pa.table({"fine": [1], "span": pa.array([(1, 2, 3)], pa.month_day_nano_interval())})
    with pytest.raises(ValueError, match=r"Column 'span': .* got: month_day_nano_interval"):
        getattr(penstock.data.from_arrow(table), verb)(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "verb",
    ["write_csv", "write_json", "write_orc", "write_arrow", "write_tfrecords", "write_webdataset"],
)
def test_dictionaries_and_views_go_as_their_values(tmp_path, verb):
    text = ["a", None, "b"]
    plain = pa.table({"x": pa.array(text), "y": pa.array(text)})
    encoded = pa.table(
        {"x": pa.array(text).dictionary_encode(), "y": pa.array(text, pa.string_view())}
    )
    contents = [
        written(penstock.data.from_arrow(table), verb, tmp_path / name).read_bytes()
        for name, table in {"plain": plain, "encoded": encoded}.items()
    ]
    if verb == "write_arrow":
        contents = [
            pyarrow.feather.read_table(files(tmp_path / name)[0]).to_pylist()
            for name in ("plain", "encoded")
        ]
    assert contents[0] == contents[1]
