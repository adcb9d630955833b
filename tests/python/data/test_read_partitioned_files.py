"""Partitions of the readers of whole files and of those through Python libraries."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.data import (
    Partitioning,
    PathPartitionFilter,
    read_avro,
    read_binary_files,
    read_images,
    read_numpy,
)

HIVE = Partitioning("hive")
YEARS = Partitioning("hive", field_types={"year": int})


def write_bytes(path):
    path.write_bytes(path.name.encode())


def write_numpy(path):
    np.save(path.with_suffix(".npy"), np.arange(2))


def write_image(path):
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (2, 2)).save(path.with_suffix(".png"))


def write_avro(path):
    fastavro = pytest.importorskip("fastavro")
    with path.with_suffix(".avro").open("wb") as file:
        schema = {"type": "record", "name": "R", "fields": [{"name": "i", "type": "int"}]}
        fastavro.writer(file, schema, [{"i": 1}])


KINDS = [
    (read_binary_files, write_bytes, "bytes", 1),
    (read_numpy, write_numpy, "data", 2),
    (read_images, write_image, "image", 1),
    (read_avro, write_avro, "i", 1),
]
every_reader = pytest.mark.parametrize(("read", "write", "own", "rows"), KINDS)


def folder_of(path, *names):
    folder = path.joinpath(*names)
    folder.mkdir(parents=True)
    return folder


@every_reader
def test_folders_named_key_is_value_are_columns(tmp_path, read, write, own, rows):
    for year in (2020, 2021):
        write(folder_of(tmp_path, f"year={year}", "kind=a%20b") / "x")
    ds = read(tmp_path, partitioning=YEARS)
    assert ds.columns() == [own, "year", "kind"]
    assert [str(kind) for kind in ds.schema().types][1:] == ["int64", "string"]
    told = [(row["year"], row["kind"]) for row in ds.take_all()]
    assert told == [(2020, "a b")] * rows + [(2021, "a b")] * rows
    assert read(tmp_path).columns() == [own]


@every_reader
def test_folders_by_position_are_columns_beside_the_path(tmp_path, read, write, own, rows):
    write(folder_of(tmp_path, "dog", "wild") / "x")
    scheme = Partitioning("dir", base_dir=tmp_path, field_names=["animal", "home"])
    ds = read(tmp_path, partitioning=scheme, include_paths=True)
    assert ds.columns() == [own, "animal", "home", "path"]
    first = ds.take(1)[0]
    assert (first["animal"], first["home"]) == ("dog", "wild")
    assert first["path"].startswith(str(tmp_path / "dog" / "wild" / "x"))
    assert ds.count() == rows


@every_reader
def test_a_partition_that_only_some_files_have_is_null_in_the_others(
    tmp_path, read, write, own, rows
):
    write(folder_of(tmp_path, "a") / "x")
    write(folder_of(tmp_path, "b=1") / "x")
    write(folder_of(tmp_path, "b=__HIVE_DEFAULT_PARTITION__") / "x")
    told = [row["b"] for row in read(tmp_path, partitioning=HIVE).take_all()]
    assert told == [None] * rows + ["1"] * rows + [None] * rows


@every_reader
def test_files_are_chosen_by_their_partitions(tmp_path, read, write, own, rows):
    for year in (2020, 2021):
        write(folder_of(tmp_path, f"year={year}") / "x")
    new = PathPartitionFilter.of(lambda values: values["year"] > 2020, field_types={"year": int})
    ds = read(tmp_path, partitioning=HIVE, partition_filter=new)
    assert [row["year"] for row in ds.take_all()] == ["2021"] * rows


@every_reader
def test_a_value_that_is_not_of_its_partitions_type_is_an_error_that_names_the_file(
    tmp_path, read, write, own, rows
):
    write(folder_of(tmp_path, "year=soon") / "x")
    with pytest.raises(ValueError, match=r'year=soon/x.*partition "year" is not of its type.*soon'):
        read(tmp_path, partitioning=YEARS).take_all()


@every_reader
def test_partitioning_must_be_a_partitioning(tmp_path, read, write, own, rows):
    write(tmp_path / "x")
    with pytest.raises(TypeError, match="partitioning must be a Partitioning"):
        read(tmp_path, partitioning="hive")


def test_partitions_alone_open_no_file(tmp_path):
    (folder_of(tmp_path, "year=2020") / "a.png").write_text("not an image")
    ds = read_images(tmp_path, mode="L", partitioning=YEARS).select_columns(["year"])
    assert ds.take_all() == [{"year": 2020}]


def test_a_block_of_many_files_has_each_files_partitions(tmp_path):
    for number in range(60):
        write_bytes(folder_of(tmp_path, f"n={number:02}") / f"{number:02}")
    for read in (
        read_binary_files(tmp_path, partitioning=HIVE),
        read_binary_files(tmp_path, partitioning=HIVE, override_num_blocks=2),
    ):
        rows = read.take_all()
        assert [row["n"].encode() for row in rows] == [row["bytes"] for row in rows]
        assert len(rows) == 60


def test_a_column_of_the_files_own_counts_before_a_partition_of_its_name(tmp_path):
    write_bytes(folder_of(tmp_path, "bytes=folder") / "x")
    write_avro(folder_of(tmp_path, "i=7") / "x")
    assert read_binary_files(tmp_path / "bytes=folder", partitioning=HIVE).take_all() == [
        {"bytes": b"x"}
    ]
    assert read_avro(tmp_path / "i=7", partitioning=HIVE).take_all() == [{"i": 1}]
