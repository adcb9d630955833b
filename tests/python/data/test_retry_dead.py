"""Rows that a job left out are run again, and nothing else is; the results join its output."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from part_files import part_files
from rows_left_out import (
    BAD,
    ROWS,
    Rows,
    double,
    files_below,
    in_order_of_names,
    job,
    left_out,
    write_source,
)

import penstock
from penstock import ledger
from penstock.__main__ import main
from penstock.exceptions import (
    UserCodeException,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.data import Dataset


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_source(tmp_path / "in")


@pytest.fixture
def output(source: str, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    job(source, BAD).write_parquet(folder)
    return folder


class TestRowsThatComeThrough:
    def test_they_join_the_output_behind_the_others(self, source: str, output: Path) -> None:
        before = {file: file.read_bytes() for file in part_files(output)}
        retried = penstock.retry_dead(output, job(source, set()))
        assert retried == (len(BAD), len(BAD), 0)
        good = [number for number in range(ROWS) if number not in BAD]
        assert in_order_of_names(output) == [*good, *sorted(BAD)]
        assert {file: file.read_bytes() for file in before} == before
        assert (output / "_SUCCESS").exists()
        with pytest.raises(FileNotFoundError, match="No row was left out here"):
            penstock.dead_letters(output)

    def test_the_ledger_adds_up_and_the_job_stays_done(self, source: str, output: Path) -> None:
        penstock.retry_dead(output, job(source, set()))
        found = ledger.verify(output)
        assert found.problems == []
        assert found.is_finished
        assert (found.rows_in, found.rows_out, found.rows_dead) == (ROWS, ROWS, 0)

    def test_no_other_rows_are_run(self, source: str, output: Path, tmp_path: Path) -> None:
        calls = tmp_path / "calls"

        def double(batch: Rows, calls: bytes) -> Rows:
            with Path(os.fsdecode(calls)).open("a") as file:
                file.writelines(f"{number}\n" for number in batch["id"].tolist())
            return {"id": batch["id"], "double": batch["id"] * 2}

        mended = penstock.data.read_parquet(source).map_batches(
            double, batch_size=16, fn_args=[os.fsencode(calls)], on_error="dead_letter"
        )
        penstock.retry_dead(output, mended)
        assert sorted(int(line) for line in calls.read_text().split()) == sorted(BAD)

    def test_the_input_need_not_be_there_any_more(self, source: str, output: Path) -> None:
        mended = job(source, set())
        shutil.rmtree(source)
        assert penstock.retry_dead(output, mended).written == len(BAD)

    def test_the_same_job_run_again_finds_all_done(
        self, source: str, output: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        penstock.retry_dead(output, job(source, set()))
        before = files_below(output)
        job(source, BAD).write_parquet(output)
        assert "the output is there already (200 rows in 5 files)" in capfd.readouterr().err
        assert files_below(output) == before

    def test_another_job_may_take_their_place(self, source: str, output: Path) -> None:
        penstock.retry_dead(output, job(source, {130}))
        job(source, {5}).write_parquet(output, on_mismatch="restart")
        assert in_order_of_names(output) == [number for number in range(ROWS) if number != 5]
        assert left_out(output) == [5]
        assert ledger.verify(output).problems == []

    @pytest.mark.parametrize("name", ["year=2020", "o[u]t*", "with spaces, 1%"])
    def test_the_folder_may_have_any_name(self, source: str, tmp_path: Path, name: str) -> None:
        out = tmp_path / name / "out"
        job(source, BAD).write_parquet(out)
        assert penstock.retry_dead(out, job(source, set())).written == len(BAD)

    def test_the_ledger_is_shown_with_them(
        self, source: str, output: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        penstock.retry_dead(output, job(source, {130}))
        assert main(["show", str(output)]) == 0
        *_, begins, ends = capsys.readouterr().out.splitlines()
        assert "run 2 begins to retry dead rows (process " in begins
        assert "5 dead rows retried, 0 chunks, 1 files, 4 rows, 1 rows failed" in ends
        assert ends.endswith("the job is done")


class TestRowsThatFailAgain:
    def test_they_stay_dead_letters_of_where_they_came_from(
        self, source: str, output: Path
    ) -> None:
        by_row = {row["row"]["id"]: row for row in penstock.dead_letters(output).take_all()}
        retried = penstock.retry_dead(output, job(source, {8, 130}))
        assert retried == (len(BAD), len(BAD) - 2, 2)
        assert left_out(output) == [8, 130]
        for letter in penstock.dead_letters(output).take_all():
            before = by_row[letter["row"]["id"]]
            for column in ("stage", "stage_index", "source", "source_row", "message"):
                assert letter[column] == before[column]
            assert letter["attempts"] > before["attempts"]
        found = ledger.verify(output)
        assert (found.problems, found.rows_out, found.rows_dead) == ([], ROWS - 2, 2)

    def test_they_can_be_run_again_and_again(self, source: str, output: Path) -> None:
        attempts = []
        for bad in (BAD, {7, 130}, {130}, {130}):
            penstock.retry_dead(output, job(source, bad))
            letters = penstock.dead_letters(output).take_all()
            attempts += [row["attempts"] for row in letters if row["row"]["id"] == 130]
        assert attempts == sorted(set(attempts))
        assert left_out(output) == [130]
        penstock.retry_dead(output, job(source, set()))
        assert sorted(in_order_of_names(output)) == list(range(ROWS))
        assert ledger.verify(output).problems == []

    def test_more_of_them_than_may_leave_all_as_it_was(self, source: str, output: Path) -> None:
        before = files_below(output)
        with pytest.raises(UserCodeException, match="2 rows failed, where 1 may"):
            penstock.retry_dead(output, job(source, BAD, max_errors=1))
        assert left_out(output) == sorted(BAD)
        (entry,) = files_below(output) - before  # That a retry has begun.
        assert entry.startswith("_penstock/log/")
        assert ledger.verify(output).problems == []
        assert penstock.retry_dead(output, job(source, set())).written == len(BAD)

    def test_by_default_the_first_ends_the_retry(self, source: str, output: Path) -> None:
        mended = penstock.data.read_parquet(source).map_batches(double({7}), batch_size=16)
        with pytest.raises(UserCodeException, match="row 7 is bad"):
            penstock.retry_dead(output, mended)
        assert left_out(output) == sorted(BAD)

    def test_dropped_they_are_counted_and_no_letters_any_more(
        self, source: str, output: Path
    ) -> None:
        mended = penstock.data.read_parquet(source).map_batches(
            double({7}), batch_size=16, on_error="drop"
        )
        assert penstock.retry_dead(output, mended) == (len(BAD), len(BAD) - 1, 0)
        found = ledger.verify(output)
        assert (found.rows_dead, found.problems) == (1, [])


def texts(bad: set[int]) -> Callable[[Rows], list[Rows]]:
    def texts(row: Rows) -> list[Rows]:
        if row["id"] in bad:
            raise ValueError("of the first")
        return [{"id": f"{row['id']}{half}"} for half in "ab"]

    return texts


def keep(bad: set[str]) -> Callable[[Rows], bool]:
    def keep(row: Rows) -> bool:
        if row["id"] in bad:
            raise ValueError("of the second")
        return not row["id"].startswith("9")

    return keep


class TestSeveralStages:
    def dataset(self, first: set[int], second: set[str]) -> Dataset:
        rows = penstock.data.range(12, override_num_blocks=3)
        made = rows.flat_map(texts(first), on_error="dead_letter")
        return made.filter(keep(second), on_error="dead_letter")

    def test_each_runs_what_it_left_out_and_those_after_it(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        self.dataset({2, 9}, {"3a", "5b"}).write_json(out)
        retried = penstock.retry_dead(out, self.dataset(set(), set()))
        assert retried == (4, 4, 0)
        ids = [row["id"] for row in penstock.data.read_json(str(out)).take_all()]
        wanted = [f"{number}{half}" for number in range(12) if number != 9 for half in "ab"]
        assert sorted(ids) == sorted(wanted)
        assert ids[-4:] == ["3a", "5b", "2a", "2b"]
        assert ledger.verify(out).problems == []

    def test_a_row_may_fail_in_a_later_one_then(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        self.dataset({2}, {"3a"}).write_json(out)
        assert penstock.retry_dead(out, self.dataset(set(), {"2b"})) == (2, 2, 1)
        (letter,) = penstock.dead_letters(out).take_all()
        assert (letter["stage_index"], letter["row"]) == (2, {"id": "2b"})
        assert (letter["source"], letter["source_row"]) == ("range, rows 0 to 4", None)
        assert letter["attempts"] < 4
        assert penstock.retry_dead(out, self.dataset(set(), set())) == (1, 1, 0)


class TestWriting:
    def test_the_files_are_written_as_the_others_are(self, source: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        options = pa_csv.WriteOptions(delimiter="|")
        job(source, BAD).write_csv(out, write_options=options)
        penstock.retry_dead(out, job(source, set()))
        assert "\n130|260\n" in part_files(out)[-1].read_text()

    def test_the_rows_go_into_the_folders_of_their_values(
        self, source: str, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"

        def dataset(bad: set[int]) -> Dataset:
            return job(source, bad).add_column("half", lambda rows: rows["id"] // (ROWS // 2))

        dataset(BAD).write_parquet(out, partition_cols=["half"])
        penstock.retry_dead(out, dataset(set()))
        for half in (0, 1):
            table = pq.read_table(max((out / f"half={half}").glob("*.parquet")))
            assert set(table["id"].to_pylist()) == {n for n in BAD if n // (ROWS // 2) == half}

    def test_a_column_that_was_written_alone_is(self, source: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        job(source, BAD).write_numpy(out, column="double")
        penstock.retry_dead(out, job(source, set()))
        doubles = np.concatenate([np.load(file) for file in sorted(out.glob("*.npy"))])
        assert sorted(doubles.tolist()) == [2 * number for number in range(ROWS)]

    def test_rows_are_given_to_functions_as_they_were(self, tmp_path: Path) -> None:
        out = tmp_path / "out"

        def look(bad: set[int]) -> Callable[[Rows], Rows]:
            def look(row: Rows) -> Rows:
                if row["id"] in bad:
                    raise ValueError("bad")
                picture = row["picture"]
                text = (
                    f"{picture.dtype} {picture.shape} {picture.sum()} {row['tags']} {row['none']}"
                )
                return {"id": row["id"], "text": text}

            return look

        def dataset(bad: set[int]) -> Dataset:
            rows = [
                {
                    "id": number,
                    "picture": np.full((number + 1, 2, 3), number, dtype=np.uint8),
                    "tags": ["a"] * number,
                    "none": None if number == 2 else b"x",
                }
                for number in range(6)
            ]
            return penstock.data.from_items(rows).map(look(bad), on_error="dead_letter")

        dataset({2, 4}).write_parquet(out)
        dataset(set()).write_parquet(tmp_path / "whole")
        penstock.retry_dead(out, dataset(set()))

        def rows(folder: Path) -> dict[int, str]:
            found = penstock.data.read_parquet(str(folder)).take_all()
            return {row["id"]: row["text"] for row in found}

        assert rows(out) == rows(tmp_path / "whole")

    def test_a_job_that_was_done_whole_takes_them_too(self, source: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        job(source, BAD).repartition(2).write_parquet(out)
        assert penstock.retry_dead(out, job(source, set()).repartition(2)).written == len(BAD)
        assert sorted(in_order_of_names(out)) == list(range(ROWS))
        assert ledger.verify(out).problems == []


def test_rows_of_a_text_file_may_have_columns_that_the_first_rows_lack(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(20):  # More files than are looked at for the columns.
        row = {"id": number, "more": "x"} if number == 19 else {"id": number}
        (folder / f"{number:02}.json").write_text(json.dumps(row))

    def dataset(bad: set[int]) -> Dataset:
        def check(row: Rows) -> Rows:
            if row["id"] in bad:
                raise ValueError("bad")
            return {"id": row["id"], "more": row.get("more")}

        return penstock.data.read_json(str(folder)).map(check, on_error="dead_letter")

    dataset({19}).write_parquet(tmp_path / "out")
    penstock.retry_dead(tmp_path / "out", dataset(set()))
    (row,) = pq.read_table(part_files(tmp_path / "out")[-1]).to_pylist()
    assert row == {"id": 19, "more": "x"}
