"""Rows that a job left out are run again, and nothing else is; the results join its output."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from part_files import part_files

import penstock
from penstock import ledger
from penstock.__main__ import main
from penstock.exceptions import (
    CorruptDataError,
    JobChangedError,
    OutputTakenError,
    UserCodeException,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.data import Dataset

ROWS = 200
BAD = {0, 7, 8, 130, ROWS - 1}

Rows = dict[str, Any]


def double(bad: set[int]) -> Callable[[Rows], Rows]:
    """Return a function that fails for these rows; it is called `double` whichever they are."""

    def double(batch: Rows) -> Rows:
        for number in batch["id"].tolist():
            if number in bad:
                raise ValueError(f"row {number} is bad")
        return {"id": batch["id"], "double": batch["id"] * 2}

    return double


@pytest.fixture
def source(tmp_path: Path) -> str:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        first = number * (ROWS // 4)
        table = pa.table({"id": range(first, first + ROWS // 4)})
        pq.write_table(table, folder / f"{number}.parquet")
    return str(folder)


def job(source: str, bad: set[int], **options: Any) -> Dataset:
    rows = penstock.data.read_parquet(source)
    rows.context.rows_per_chunk = ROWS // 4  # So that there are letters in several files.
    return rows.map_batches(double(bad), batch_size=16, on_error="dead_letter", **options)


@pytest.fixture
def output(source: str, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    job(source, BAD).write_parquet(folder)
    return folder


def in_order_of_names(folder: Path) -> list[int]:
    return [
        number for file in part_files(folder) for number in pq.read_table(file)["id"].to_pylist()
    ]


def left_out(folder: Path) -> list[int]:
    return sorted(row["row"]["id"] for row in penstock.dead_letters(folder).take_all())


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


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


class TestWhatIsRefused:
    def test_nothing_is_done_where_nothing_was_left_out(
        self, source: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        job(source, set()).write_parquet(out)
        before = files_below(out)
        assert penstock.retry_dead(out, job(source, set())) == (0, 0, 0)
        assert "no rows that were left out are on record" in capfd.readouterr().err
        assert files_below(out) == before

    def test_a_folder_without_a_ledger(self, source: str, tmp_path: Path) -> None:
        job(source, BAD).write_parquet(tmp_path / "out", mode="append")
        with pytest.raises(FileNotFoundError, match="There is no ledger of a job here"):
            penstock.retry_dead(tmp_path / "out", job(source, set()))

    def test_a_job_that_is_not_done(self, source: str, output: Path) -> None:
        max((output / "_penstock" / "log").iterdir()).unlink()
        with pytest.raises(ValueError, match="not done; run it again"):
            penstock.retry_dead(output, job(source, set()))

    def test_what_is_no_data_set(self, output: Path) -> None:
        with pytest.raises(TypeError, match="needs the Dataset that was written; got: 3"):
            penstock.retry_dead(output, 3)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: rows.map(lambda row: row), r"no such stage 1; got there: Map\("),
            (lambda rows: rows, "no such stage 1; got there: Write"),
            (
                lambda rows: rows.map_batches(double(set())).repartition(3),
                "stage 2 after it is another; wanted: Write",
            ),
            (
                lambda rows: rows.add_column("more", lambda row: row["id"]).map_batches(
                    double(set())
                ),
                r"no such stage 1; got there: MapBatches\(add_column\)",
            ),
            (
                lambda rows: rows.rename_columns({"id": "number"}).map_batches(double(set())),
                "was given other columns; now: number",
            ),
        ],
        ids=["another function", "none", "more behind it", "more before it", "other columns"],
    )
    def test_a_plan_of_other_stages(
        self, source: str, output: Path, change: Callable[[Dataset], Dataset], message: str
    ) -> None:
        before = files_below(output)
        with pytest.raises(JobChangedError, match=message) as raised:
            penstock.retry_dead(output, change(penstock.data.read_parquet(source)))
        assert "Stage 'MapBatches(double)' has left out rows" in str(raised.value)
        assert files_below(output) == before
        assert left_out(output) == sorted(BAD)

    @pytest.mark.parametrize(
        ("verb", "named"),
        [
            (lambda rows: rows.limit(150), r"limit\(150\)"),
            (lambda rows: rows.random_sample(0.5, seed=3), "Sample"),
        ],
    )
    def test_rows_whose_fate_depends_on_others(
        self, source: str, tmp_path: Path, verb: Callable[[Dataset], Dataset], named: str
    ) -> None:
        out = tmp_path / "out"
        verb(job(source, BAD)).write_parquet(out)
        before = left_out(out)
        with pytest.raises(ValueError, match=f"depends on the other rows.*{named}"):
            penstock.retry_dead(out, verb(job(source, set())))
        assert left_out(out) == before

    def test_a_second_one_while_the_first_runs(self, source: str, output: Path) -> None:
        with (output / "_penstock" / "lock").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(OutputTakenError, match="Another run writes this output"):
                penstock.retry_dead(output, job(source, set()))
        assert penstock.retry_dead(output, job(source, set())).written == len(BAD)

    def test_the_job_run_again_meanwhile_leaves_the_retry_alone(
        self, source: str, output: Path
    ) -> None:
        pending = output / "_penstock" / "pending" / "of the retry.tmp"
        pending.parent.mkdir()
        pending.touch()
        with (output / "_penstock" / "lock").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            job(source, BAD).write_parquet(output)
            assert pending.exists()
        job(source, BAD).write_parquet(output)
        assert not pending.parent.exists()

    def test_letters_that_are_damaged(self, source: str, output: Path) -> None:
        (first, *_) = sorted((output / "_penstock" / "dead_letters").iterdir())
        first.write_bytes(first.read_bytes()[:-9])
        with pytest.raises(CorruptDataError, match=first.name):
            penstock.retry_dead(output, job(source, set()))

    def test_an_output_of_an_older_version_says_what_to_do(self, source: str, output: Path) -> None:
        for entry in (output / "_penstock" / "log").iterdir():
            fields = json.loads(entry.read_text().splitlines()[0])
            del fields["write"], fields["taken"]
            text = json.dumps({**fields, "version": 1}) + "\ncrc32c:"
            entry.write_text(f"{text}{crc32c(text[:-8].encode()):08x}\n")
        assert ledger.verify(output).problems == []
        with pytest.raises(JobChangedError, match="An older version of Penstock has written"):
            penstock.retry_dead(output, job(source, set()))


class TestVerifying:
    def test_letters_that_come_back_are_named(self, source: str, output: Path) -> None:
        (first, *_) = sorted((output / "_penstock" / "dead_letters").iterdir())
        letters = first.read_bytes()
        penstock.retry_dead(output, job(source, {130}))
        penstock.retry_dead(output, job(source, set()))
        first.write_bytes(letters)
        name = first.relative_to(output)
        assert ledger.verify(output).problems == [f"{name} is not in the ledger"]

    def test_letters_that_are_taken_twice_are_named(self, source: str, output: Path) -> None:
        penstock.retry_dead(output, job(source, set()))
        last = max((output / "_penstock" / "log").iterdir())
        fields = fields_of(last)
        put_fields(last, {**fields, "taken": [*fields["taken"], fields["taken"][0]]})
        (problem,) = ledger.verify(output).problems
        assert "takes away letters that are not there" in problem
        assert fields["taken"][0]["name"] in problem


def fields_of(entry: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(entry.read_text().splitlines()[0])
    return fields


def put_fields(entry: Path, fields: dict[str, Any]) -> None:
    """Write an entry anew, with its checksum."""
    text = json.dumps(fields)
    entry.write_text(f"{text}\ncrc32c:{crc32c(text.encode()):08x}\n")


def crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


KILLED = """
import os, signal, sys
import penstock

source, folder, driver = sys.argv[1], sys.argv[2], os.getpid()

def double(batch):
    if batch["id"][0] >= 130:
        os.kill(driver, signal.SIGKILL)
        signal.pause()
    return {"id": batch["id"], "double": batch["id"] * 2}

rows = penstock.data.read_parquet(source)
penstock.retry_dead(folder, rows.map_batches(double, batch_size=1, on_error="dead_letter"))
"""


def test_a_retry_that_is_killed_has_changed_nothing_and_can_be_made_again(
    source: str, output: Path
) -> None:
    before = in_order_of_names(output)
    told = subprocess.run(
        [sys.executable, "-c", KILLED, source, str(output)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    assert told.returncode == -signal.SIGKILL, told.stderr
    assert in_order_of_names(output) == before
    assert left_out(output) == sorted(BAD)
    found = ledger.verify(output)
    assert (found.problems, found.is_finished) == ([], True)
    job(source, BAD).write_parquet(output)  # Finds all done, and what the retry has left.
    assert not (output / "_penstock" / "pending").exists()
    assert penstock.retry_dead(output, job(source, set())).written == len(BAD)
    assert ledger.verify(output).problems == []
