"""What retries of dead rows refuse, and what is left of those that do not come to their end."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rows_left_out import (
    BAD,
    double,
    files_below,
    in_order_of_names,
    job,
    left_out,
    write_source,
)

import penstock
from penstock import ledger
from penstock.data.stopping import EXIT_RESUMABLE
from penstock.exceptions import (
    CorruptDataError,
    JobChangedError,
    OutputTakenError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from penstock.data import Dataset


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_source(tmp_path / "in")


@pytest.fixture
def output(source: str, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    job(source, BAD).write_parquet(folder)
    return folder


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


ENDED = """
import os, signal, sys
import penstock

source, folder, number, driver = sys.argv[1], sys.argv[2], int(sys.argv[3]), os.getpid()

def double(batch):
    if batch["id"][0] >= 130:
        os.kill(driver, number)
        signal.pause()
    return {"id": batch["id"], "double": batch["id"] * 2}

rows = penstock.data.read_parquet(source)
penstock.retry_dead(folder, rows.map_batches(double, batch_size=1, on_error="dead_letter"))
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, EXIT_RESUMABLE)],
    ids=["killed", "asked to end"],
)
def test_a_retry_that_is_cut_off_has_changed_nothing_and_can_be_made_again(
    source: str, output: Path, number: signal.Signals, code: int
) -> None:
    before = in_order_of_names(output)
    told = subprocess.run(
        [sys.executable, "-c", ENDED, source, str(output), str(int(number))],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    assert told.returncode == code, told.stderr
    assert in_order_of_names(output) == before
    assert left_out(output) == sorted(BAD)
    found = ledger.verify(output)
    assert (found.problems, found.is_finished) == ([], True)
    job(source, BAD).write_parquet(output)  # Finds all done, and what the retry has left.
    assert not (output / "_penstock" / "pending").exists()
    assert penstock.retry_dead(output, job(source, set())).written == len(BAD)
    assert ledger.verify(output).problems == []
