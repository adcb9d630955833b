"""What is on record of an output can be read, and the output compared with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from ledger_entries import entry_text
from penstock import ledger
from penstock.__main__ import main
from penstock.data import DataContext
from penstock.exceptions import CorruptDataError

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 400


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("ledger") / "out"
    with DataContext.current(DataContext()) as context:
        context.rows_per_chunk = 100
        context.commit_interval_s = 0
        rows = penstock.data.range(ROWS, override_num_blocks=4)
        rows.filter(expr="id != 7").write_parquet(folder)
    return folder


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    """A copy that the test may damage."""
    return Path(shutil.copytree(written, tmp_path / "out"))


def write(
    path: Path, change: Callable[[penstock.data.Dataset], penstock.data.Dataset], **options: Any
) -> ledger.Verified:
    with DataContext.current(DataContext()) as context:
        context.rows_per_chunk = 100
        context.commit_interval_s = 0
        change(penstock.data.range(ROWS, override_num_blocks=4)).write_parquet(path, **options)
    return ledger.verify(path)


def refuse_some(row: dict[str, Any]) -> bool:
    if row["id"] % 97 == 5:
        raise ValueError("no")
    return bool(row["id"] % 3)


FILTERS: list[Any] = [
    pytest.param(lambda rows: rows, 0, 0, id="none"),
    pytest.param(lambda rows: rows.filter(expr="id >= 30"), 30, 0, id="expression"),
    pytest.param(lambda rows: rows.filter(lambda row: row["id"] >= 30), 30, 0, id="function"),
    pytest.param(
        lambda rows: (
            rows.filter(lambda row: row["id"] >= 30)
            .map(lambda row: {"id": row["id"] * 2})
            .filter(expr="id < 700")
        ),
        80,
        0,
        id="several",
    ),
    pytest.param(
        lambda rows: rows.filter(refuse_some, on_error="dead_letter").filter(expr="id != 1"),
        133,
        5,
        id="rows that fail",
    ),
]


@pytest.mark.parametrize(("change", "filtered", "dead"), FILTERS)
def test_each_row_was_written_has_failed_or_was_filtered(
    tmp_path: Path, change: Any, filtered: int, dead: int, capsys: Any
) -> None:
    found = write(tmp_path / "out", change)
    assert found.problems == []
    assert (found.rows_dead, found.rows_filtered) == (dead, filtered)
    assert found.rows_in == ROWS == found.rows_out + dead + filtered
    assert main(["verify", str(tmp_path / "out")]) == 0
    assert main(["show", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert (f", {filtered} filtered" in told) == (filtered > 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.flat_map(lambda row: [row] * (row["id"] % 3)),
        lambda rows: rows.map_batches(lambda batch: {"id": batch["id"][::2]}),
    ],
    ids=["flat_map", "map_batches"],
)
def test_nobody_tells_filtered_rows_where_a_function_may_change_their_number(
    tmp_path: Path, change: Any
) -> None:
    found = write(tmp_path / "out", lambda rows: change(rows).filter(expr="id != 7"))
    assert found.problems == []
    assert found.rows_filtered is None


def test_rows_that_do_not_add_up_are_a_problem(output: Path) -> None:
    last = entries(output)[-1]
    entry = json.loads(last.read_text().partition("\n")[0])
    assert entry["rows"]["filtered"] == 1
    entry["rows"]["filtered"] = 2
    last.write_text(entry_text(entry))
    (problem,) = ledger.verify(output).problems
    assert "do not add up: 400 were read, 399 written, 0 failed, 2 were filtered" in problem


def parts(output: Path) -> list[Path]:
    return sorted(output.glob("*.parquet"))


def entries(output: Path) -> list[Path]:
    return sorted((output / "_penstock" / "log").iterdir())


def test_an_output_that_is_as_it_was_written_verifies(output: Path) -> None:
    found = ledger.verify(output)
    assert found.problems == []
    assert found.is_finished
    assert (found.rows_in, found.rows_out, found.rows_filtered) == (ROWS, ROWS - 1, 1)
    assert (found.files, found.chunks) == (4, 4)
    assert found.bytes == sum(path.stat().st_size for path in parts(output))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes instead of"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "bytes instead of"),
    ],
    ids=["gone", "cut off", "longer"],
)
def test_a_file_that_is_not_as_it_was_written_is_named(
    output: Path, damage: Any, problem: str
) -> None:
    part = parts(output)[2]
    damage(part)
    (said,) = ledger.verify(output).problems
    assert part.name in said
    assert problem in said


def test_every_changed_byte_and_every_cut_of_a_file_is_found(output: Path) -> None:
    part = parts(output)[1]
    whole = part.read_bytes()
    for place in range(len(whole)):
        part.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        (said,) = ledger.verify(output).problems
        assert "other bytes than were written" in said
        part.write_bytes(whole[:place])
        (said,) = ledger.verify(output).problems
        assert "bytes instead of" in said


def test_a_file_that_is_not_on_record_is_named(output: Path) -> None:
    shutil.copy(parts(output)[0], output / "more.parquet")
    assert ledger.verify(output).problems == ["more.parquet is not in the ledger"]


def test_a_missing_entry_is_an_error_that_names_it(output: Path) -> None:
    entries(output)[1].unlink()
    with pytest.raises(CorruptDataError, match=entries(output)[0].name.replace("0.json", "1.json")):
        ledger.verify(output)


def test_every_changed_byte_of_an_entry_is_found(output: Path) -> None:
    entry = entries(output)[-1]
    whole = entry.read_bytes()
    for place in range(len(whole)):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CorruptDataError, match=entry.name):
            ledger.verify(output)


def test_the_command_says_by_its_exit_what_it_found(output: Path, capsys: Any) -> None:
    assert main(["verify", str(output)]) == 0
    assert f"4 files, {ROWS - 1} rows" in capsys.readouterr().out
    parts(output)[0].unlink()
    assert main(["verify", str(output)]) == 1
    assert "wrong: " in capsys.readouterr().out


def test_a_job_that_is_not_done_does_not_verify_and_says_so(output: Path, capsys: Any) -> None:
    last = entries(output)[-1]
    last.unlink()
    assert main(["verify", str(output)]) == 1
    assert "run the job again" in capsys.readouterr().out


def test_the_command_names_a_folder_without_a_ledger(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "penstock", "verify", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert "There is no ledger" in told.stderr
    assert str(tmp_path) in told.stderr


def test_the_ledger_is_shown_entry_by_entry(output: Path, capsys: Any) -> None:
    assert main(["show", str(output)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "run 1 begins (process " in shown[0]
    assert f"{ROWS - 1} rows by now" in shown[-1]
    assert shown[-1].endswith("the job is done")
    assert len(shown) == len(entries(output))
