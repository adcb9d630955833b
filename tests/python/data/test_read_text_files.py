from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import csv
from pyarrow import json as arrow_json

import penstock
from penstock.data import FileShuffleConfig, Partitioning, PathPartitionFilter
from penstock.exceptions import CorruptDataError, SchemaMismatchError


def column(ds, name):
    return [row[name] for row in ds.take_all()]


def test_each_line_is_a_row(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\r\n\n  \ntwo")
    assert column(penstock.data.read_text(tmp_path), "text") == ["one", "two"]
    all_lines = penstock.data.read_text(tmp_path, drop_empty_lines=False)
    assert column(all_lines, "text") == ["one", "", "  ", "two"]
    assert all_lines.count() == 4


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16", "utf_16_le", "gbk"])
def test_text_of_any_encoding_is_read(encoding, tmp_path):
    text = "été\n" if encoding != "gbk" else "文\n"
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    ds = penstock.data.read_text(tmp_path, encoding=encoding)
    assert column(ds, "text") == [text.strip()]


def test_an_unknown_encoding_and_wrong_text_are_told(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"ok\n\xff\n")
    with pytest.raises(LookupError, match="klingon"):
        penstock.data.read_text(tmp_path, encoding="klingon")
    with pytest.raises(CorruptDataError, match=r"a\.txt, data row 2"):
        penstock.data.read_text(tmp_path).take_all()


@pytest.mark.parametrize("reader", ["read_text", "read_csv", "read_json"])
def test_a_long_file_is_read_in_pieces_with_the_same_rows(reader, tmp_path):
    rows = [json.dumps({"n": n}) if reader == "read_json" else str(n) for n in range(20_000)]
    if reader == "read_csv":
        rows.insert(0, "n")
    path = tmp_path / "a.txt"
    path.write_text("\n".join(rows))
    read = getattr(penstock.data, reader)
    pieces = read(path, override_num_blocks=7)
    assert pieces.take_all() == read(path).take_all()
    blocks = pieces.materialize().num_blocks()
    assert blocks >= 7


def test_rows_of_text_are_counted_without_the_columns_that_do_not_matter(tmp_path):
    lines = [f'{{"n": {n}, "other": {n}}}' for n in range(100_000)]
    (tmp_path / "a.json").write_text("\n".join([*lines, '{"n": 1, "other": "text"}']))
    ds = penstock.data.read_json(tmp_path)
    with pytest.raises(SchemaMismatchError):
        ds.take_all()
    assert ds.count() == 100_001
    assert ds.filter(expr="n < 10").count() == 11


def test_files_that_differ_are_read_as_one(tmp_path):
    (tmp_path / "a.csv").write_text("n,t\n1,x\n")
    (tmp_path / "b.csv").write_text("n,u\n0.5,true\n")
    ds = penstock.data.read_csv(tmp_path)
    assert ds.take_all() == [{"n": 1.0, "t": "x", "u": None}, {"n": 0.5, "t": None, "u": True}]
    assert ds.columns() == ["n", "t", "u"]


def test_options_of_pyarrows_csv_are_respected(tmp_path):
    (tmp_path / "a.csv").write_bytes("n;été;t\nskipped\n1,5;ja;02.01.2020\n".encode("latin-1"))
    ds = penstock.data.read_csv(
        tmp_path,
        parse_options=csv.ParseOptions(delimiter=";"),
        read_options=csv.ReadOptions(encoding="latin-1", skip_rows_after_names=1),
        convert_options=csv.ConvertOptions(
            decimal_point=",",
            true_values=["ja"],
            timestamp_parsers=["%d.%m.%Y"],
            include_columns=["t", "n", "été"],
        ),
    )
    (row,) = ds.take_all()
    assert list(row) == ["t", "n", "été"]
    assert (row["n"], row["été"], str(row["t"])[:10]) == (1.5, True, "2020-01-02")


def test_options_of_pyarrows_json_are_respected_or_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"n": 1}\n')
    schema = arrow_json.ParseOptions(explicit_schema=pa.schema([("n", pa.float32())]))
    ds = penstock.data.read_json(
        tmp_path, parse_options=schema, read_options=arrow_json.ReadOptions(block_size=5)
    )
    assert str(ds.schema().types[0]) == "float"
    with pytest.raises(NotImplementedError, match=r"parse_options\.newlines_in_values"):
        penstock.data.read_json(
            tmp_path, parse_options=arrow_json.ParseOptions(newlines_in_values=True)
        )


def test_folders_named_key_is_value_are_columns_of_text(tmp_path):
    for year in (2020, 2021):
        (tmp_path / f"year={year}").mkdir()
        (tmp_path / f"year={year}" / "a.csv").write_text("n\n1\n")
    assert column(penstock.data.read_csv(tmp_path), "year") == ["2020", "2021"]
    typed = Partitioning("hive", field_types={"year": int})
    ds = penstock.data.read_csv(tmp_path, partitioning=typed)
    assert ds.filter(expr="year > 2020").take_all() == [{"n": 1, "year": 2021}]
    assert penstock.data.read_csv(tmp_path, partitioning=None).columns() == ["n"]


def test_files_are_chosen_by_their_partitions(tmp_path):
    for year in (2020, 2021):
        (tmp_path / f"year={year}").mkdir()
        (tmp_path / f"year={year}" / "a.csv").write_text("n\n1\n")
    new = PathPartitionFilter.of(lambda values: values["year"] > 2020, field_types={"year": int})
    ds = penstock.data.read_csv(tmp_path, partition_filter=new)
    assert column(ds, "year") == ["2021"]
    none = PathPartitionFilter.of(lambda values: values["year"] == "1999")
    with pytest.raises(ValueError, match="left no file"):
        penstock.data.read_csv(tmp_path, partition_filter=none)


def test_folders_by_position_are_columns(tmp_path):
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "a.csv").write_text("n\n1\n")
    scheme = Partitioning("dir", base_dir=tmp_path, field_names=["animal"])
    ds = penstock.data.read_csv(tmp_path, partitioning=scheme)
    assert ds.take_all() == [{"n": 1, "animal": "dog"}]
    with pytest.raises(ValueError, match="field_names"):
        Partitioning("dir")
    with pytest.raises(TypeError, match="Partitioning"):
        penstock.data.read_csv(tmp_path, partitioning="hive")


def test_files_are_read_in_an_order_drawn_from_a_seed(tmp_path):
    for n in range(20):
        (tmp_path / f"{n:02}.csv").write_text(f"n\n{n}\n")
    first = penstock.data.read_csv(tmp_path, shuffle=FileShuffleConfig(seed=1))
    again = penstock.data.read_csv(tmp_path, shuffle=FileShuffleConfig(seed=1))
    assert column(first, "n") == column(again, "n") != list(range(20))
    assert sorted(column(penstock.data.read_csv(tmp_path, shuffle="files"), "n")) == list(range(20))


def test_the_local_file_systems_of_pyarrow_are_accepted(tmp_path):
    from pyarrow import fs

    (tmp_path / "a.csv").write_text("n\n1\n")
    local = fs.LocalFileSystem()
    below = fs.SubTreeFileSystem(str(tmp_path), local)
    for path, system in ((str(tmp_path / "a.csv"), local), ("a.csv", below)):
        ds = penstock.data.read_csv(path, filesystem=system)
        assert ds.take_all() == [{"n": 1}]


@pytest.mark.parametrize(
    "name", ["a b.csv", "ü.csv", "a[1].csv", "a%20b.csv", "a=b.csv", "'\".csv"]
)
def test_odd_file_names_are_read(name, tmp_path):
    (tmp_path / name).write_text("n\n1\n")
    ds = penstock.data.read_csv(tmp_path / name, include_paths=True)
    assert ds.take_all() == [{"n": 1, "path": str(tmp_path / name)}]
