from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from part_files import part_files

import penstock

TABLE = pa.table(
    {
        "a": ["x", "y"] * 500,
        "b": range(1000),
        "list": [["p", "q"]] * 1000,
        "at": pa.array(np.arange(1000) * 1000, pa.timestamp("ns")),
    }
)


def written(tmp_path, table=TABLE, **options):
    penstock.data.from_arrow(table).write_parquet(tmp_path / "out", **options)
    (path,) = part_files(tmp_path / "out")
    return pq.ParquetFile(path)


def by_pyarrow(tmp_path, table=TABLE, **options):
    pq.write_table(table, tmp_path / "pyarrow.parquet", **options)
    return pq.ParquetFile(tmp_path / "pyarrow.parquet")


def columns(file):
    group = file.metadata.row_group(0)
    return {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}


def facts(file):
    return {
        path: (
            column.compression,
            column.has_dictionary_page,
            column.is_stats_set,
            column.has_column_index,
        )
        for path, column in columns(file).items()
    }


@pytest.mark.parametrize(
    "options",
    [
        {"use_dictionary": ["a", "list.list.element"]},
        {"use_dictionary": []},
        {"write_statistics": ["b"]},
        {"compression": {"a": "zstd", "list.list.element": "GZIP"}},
        {"compression": {"a": "zstd", "not there": "snappy"}, "compression_level": {"a": 9}},
        {"use_dictionary": ["a"], "write_page_index": True},
    ],
    ids=repr,
)
def test_each_column_is_written_as_pyarrow_writes_it(options, tmp_path):
    all_said = {"use_dictionary": True, **options}
    file = written(tmp_path, **all_said)
    assert facts(file) == facts(by_pyarrow(tmp_path, **all_said))
    assert file.read().equals(TABLE)


def test_a_codec_that_is_said_by_column_leaves_the_choice_of_dictionaries(tmp_path):
    file = written(tmp_path, compression={"a": "zstd"})
    assert [column.compression for column in columns(file).values()][:2] == ["ZSTD", "UNCOMPRESSED"]
    assert columns(file)["a"].has_dictionary_page


@pytest.mark.parametrize(("version", "unit"), [("1.0", "us"), ("2.4", "us"), ("2.6", "ns")])
def test_the_version_decides_the_types(version, unit, tmp_path):
    file = written(tmp_path, version=version, store_schema=False)
    assert file.schema_arrow.field("at").type == pa.timestamp(unit)
    assert file.read().column("b").to_pylist() == list(range(1000))


def test_pages_are_about_as_large_as_asked(tmp_path):
    table = pa.table({"x": np.random.default_rng(0).random(100_000)})
    options = {"use_dictionary": False, "compression": "none"}
    small = written(tmp_path / "a", table, data_page_size=1000, **options)
    large = written(tmp_path / "b", table, **options)
    size = [columns(file)["x"].total_compressed_size for file in (small, large)]
    assert size[0] > size[1] + 5000  # The pages' heads.


def test_the_schema_of_arrow_is_left_out(tmp_path):
    table = pa.table({"t": pa.array(["x"], pa.large_string())})
    assert written(tmp_path / "a", table).schema_arrow.field("t").type == pa.large_string()
    without = written(tmp_path / "b", table, store_schema=False)
    assert without.schema_arrow.field("t").type == pa.string()
    assert b"ARROW:schema" not in (without.metadata.metadata or {})


@pytest.mark.parametrize(("compliant", "name"), [(True, "element"), (False, "item")])
def test_items_of_lists_have_the_name_that_was_asked_for(compliant, name, tmp_path):
    file = written(tmp_path, use_compliant_nested_type=compliant)
    assert f"list.list.{name}" in columns(file)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"version": "3.0"}, ValueError, "version"),
        ({"compression": {"a": "rar"}}, ValueError, "rar"),
        ({"compression": {3: "zstd"}}, TypeError, "compression"),
        ({"compression_level": {"a": "high"}}, TypeError, "compression_level"),
        ({"use_dictionary": "a"}, TypeError, "use_dictionary"),
        ({"write_statistics": [1]}, TypeError, "write_statistics"),
        ({"data_page_size": 0}, ValueError, "data_page_size"),
        ({"write_page_index": "yes"}, TypeError, "write_page_index"),
        ({"flavor": "spark"}, NotImplementedError, "flavor"),
    ],
    ids=repr,
)
def test_what_makes_no_sense_is_refused_by_name(options, error, said, tmp_path):
    with pytest.raises(error, match=said):
        written(tmp_path, **options)
    assert not (tmp_path / "out").exists()
