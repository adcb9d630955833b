"""Readers of a folder that a job writes, or has written, read what its ledger has."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from ledger_entries import entry_text
from penstock import ledger
from penstock.data import DataContext, Dataset
from penstock.exceptions import CorruptDataError

ROWS = 400

Write = Callable[[Dataset, Path], Any]
Read = Callable[[str], Dataset]


def write(path: Path, rows: int = ROWS, **options: Any) -> None:
    with DataContext.current(DataContext()) as context:
        context.rows_per_chunk = 100
        context.commit_interval_s = 0
        penstock.data.range(rows, override_num_blocks=4).write_parquet(path, **options)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("believed") / "out"
    write(folder)
    return folder


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    """A copy that the test may damage."""
    return Path(shutil.copytree(written, tmp_path / "out"))


def entries(output: Path) -> list[Path]:
    return sorted((output / "_penstock" / "log").glob("*.json"))


def ids(path: Path | str) -> list[int]:
    return sorted(row["id"] for row in penstock.data.read_parquet(str(path)).take_all())


def cut_off(output: Path, *, finished: bool) -> Path:
    """Make of an output that of a job which was killed before it named its last commit's files.

    `finished`: that commit was the last of the job. Returns where one of the files lies.
    """
    (output / "_SUCCESS").unlink()
    entry = json.loads(entries(output)[-1].read_text().partition("\n")[0])
    while not entry["files"]:
        entries(output)[-1].unlink()
        entry = json.loads(entries(output)[-1].read_text().partition("\n")[0])
    entry["kind"] = "end" if finished else "chunks"
    entry["published"] = entry["number"]
    entries(output)[-1].write_text(entry_text(entry))
    for file in entry["files"]:
        temporary = output / file["temporary"]
        temporary.parent.mkdir(exist_ok=True)
        (output / file["name"]).rename(temporary)
    return temporary


def test_a_finished_output_is_read_whole_and_nothing_is_said(output: Path, capfd: Any) -> None:
    assert ids(output) == list(range(ROWS))
    assert "penstock:" not in capfd.readouterr().err


FORMATS: list[Any] = [
    pytest.param(lambda rows, to: rows.write_parquet(to), penstock.data.read_parquet, id="parquet"),
    pytest.param(lambda rows, to: rows.write_csv(to), penstock.data.read_csv, id="csv"),
    pytest.param(lambda rows, to: rows.write_json(to), penstock.data.read_json, id="json"),
    pytest.param(
        lambda rows, to: rows.write_tfrecords(to), penstock.data.read_tfrecords, id="tfrecords"
    ),
    pytest.param(
        lambda rows, to: rows.write_numpy(to, column="id"), penstock.data.read_numpy, id="numpy"
    ),
]


@pytest.mark.parametrize(("write_rows", "read"), FORMATS)
def test_files_that_are_on_record_and_have_temporary_names_are_read_from_there(
    tmp_path: Path, write_rows: Write, read: Read
) -> None:
    with DataContext.current(DataContext()) as context:
        context.rows_per_chunk = 100
        context.commit_interval_s = 0
        write_rows(penstock.data.range(ROWS, override_num_blocks=4), tmp_path / "out")
    assert cut_off(tmp_path / "out", finished=True).exists()
    found = read(str(tmp_path / "out"))
    assert found.count() == ROWS
    assert len(found.take_all()) == ROWS


def test_a_job_that_is_not_finished_is_read_and_said_to_be_so_once(
    output: Path, capfd: Any
) -> None:
    cut_off(output, finished=False)
    found = penstock.data.read_parquet(str(output))
    assert found.count() == len(found.take_all()) == ROWS
    said = capfd.readouterr().err
    assert said.count("has not finished") == 1
    assert str(output) in said


def test_a_job_goes_on_after_it_was_read(output: Path) -> None:
    cut_off(output, finished=False)
    ids(output)
    write(output)
    assert ids(output) == list(range(ROWS))
    assert ledger.verify(output).problems == []


def test_strays_are_passed_over_with_one_warning(output: Path, capfd: Any) -> None:
    part = min(output.glob("*.parquet"))
    shutil.copy(part, output / "copy.parquet")
    shutil.copy(part, output / "other.parquet")
    (output / "notes.txt").write_text("no data")
    found = penstock.data.read_parquet(str(output))
    assert found.count() == len(found.take_all()) == ROWS
    said = capfd.readouterr().err
    assert said.count("penstock:") == 1
    assert "2 of the files in" in said
    assert "copy.parquet" in said
    assert len(penstock.data.read_parquet(f"{output}/*.parquet").take_all()) > ROWS


def test_the_input_files_are_those_on_record(output: Path) -> None:
    shutil.copy(min(output.glob("*.parquet")), output / "copy.parquet")
    files = penstock.data.read_parquet(str(output)).input_files()
    assert len(files) == 4
    assert not any("copy" in file for file in files)


def test_a_missing_file_is_an_error_that_names_it_and_the_way_out(output: Path) -> None:
    part = sorted(output.glob("*.parquet"))[1]
    part.unlink()
    with pytest.raises(CorruptDataError, match=part.name) as raised:
        ids(output)
    assert f"{output}/*.parquet" in str(raised.value)
    assert len(ids(f"{output}/*.parquet")) == ROWS - 100


def test_a_damaged_ledger_is_an_error_that_names_the_entry_and_the_way_out(output: Path) -> None:
    entry = entries(output)[1]
    entry.write_text(entry.read_text().replace("chunks", "chunk", 1))
    with pytest.raises(CorruptDataError, match=entry.name) as raised:
        ids(output)
    assert f"{output}/*.parquet" in str(raised.value)
    assert ids(f"{output}/*.parquet") == list(range(ROWS))


def test_rows_that_are_appended_to_an_output_are_read_and_verified(output: Path) -> None:
    write(output, rows=10, mode="append")
    assert ids(output) == sorted([*range(ROWS), *range(10)])
    assert ledger.verify(output).problems == []
    extra = json.loads(
        next((output / "_penstock/added/log").glob("*.json")).read_text().partition("\n")[0]
    )
    (output / extra["files"][0]["name"]).unlink()
    assert len(ledger.verify(output).problems) == 1
    with pytest.raises(CorruptDataError, match=extra["files"][0]["name"]):
        ids(output)


def test_an_append_that_was_cut_off_counts_only_once_it_is_on_record(
    output: Path, capfd: Any
) -> None:
    write(output, rows=10, mode="append")
    shutil.rmtree(output / "_penstock" / "added")
    assert ids(output) == list(range(ROWS))
    assert "are on no record" in capfd.readouterr().err


def test_a_job_that_cannot_be_known_again_adds_to_an_output(output: Path) -> None:
    rows = penstock.data.read_sql("SELECT 7 AS id", lambda: sqlite3.connect(":memory:"))
    rows.write_parquet(output)
    assert ids(output) == sorted([*range(ROWS), 7])


def test_files_that_lay_there_before_the_job_are_part_of_its_folder(tmp_path: Path) -> None:
    tmp_path.joinpath("out").mkdir()
    pq.write_table(pa.table({"id": [1000]}), tmp_path / "out" / "old.parquet")
    write(tmp_path / "out")
    assert ids(tmp_path / "out") == [*range(ROWS), 1000]
    assert ledger.verify(tmp_path / "out").problems == []
    (tmp_path / "out" / "old.parquet").unlink()
    assert ids(tmp_path / "out") == list(range(ROWS))


def test_an_output_that_is_overwritten_has_the_new_rows_alone(output: Path, capfd: Any) -> None:
    write(output, rows=10, mode="append")
    write(output, rows=20, mode="overwrite")
    assert ids(output) == list(range(20))
    assert "penstock:" not in capfd.readouterr().err


def test_a_job_begun_anew_keeps_what_others_have_added(output: Path) -> None:
    write(output, rows=10, mode="append")
    write(output, rows=50, on_mismatch="restart")
    assert ids(output) == sorted([*range(50), *range(10)])


def test_a_folder_of_several_outputs_is_read_by_the_record_of_each(
    output: Path, tmp_path: Path
) -> None:
    write(tmp_path / "more", rows=40)
    for folder in (output, tmp_path / "more"):
        shutil.copy(min(folder.glob("*.parquet")), folder / "stray.parquet")
    assert ids(tmp_path) == sorted([*range(ROWS), *range(40)])


def test_files_in_folders_named_after_columns_are_believed_too(tmp_path: Path) -> None:
    rows = penstock.data.from_items([{"k": i % 2, "id": i} for i in range(10)])
    rows.write_parquet(tmp_path / "out", partition_cols=["k"])
    part = next((tmp_path / "out" / "k=1").glob("*.parquet"))
    shutil.copy(part, part.with_name("stray.parquet"))
    found = penstock.data.read_parquet(str(tmp_path / "out")).take_all()
    assert sorted((row["id"], int(row["k"])) for row in found) == [(i, i % 2) for i in range(10)]
