"""A job that was cut off goes on where it was; one that is done does nothing."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from part_files import part_files

import penstock
from penstock.exceptions import CorruptDataError, JobChangedError, OutputTakenError

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1000
FILES = 10
ROWS_OF_FILE = ROWS // FILES


class Recorder:
    """Doubles ids, writes down which it saw, and fails at a row while a file is there."""

    def __init__(self, seen: bytes, trap: bytes, bad_row: int) -> None:
        self.seen, self.trap = Path(os.fsdecode(seen)), Path(os.fsdecode(trap))
        self.bad_row = bad_row

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        with self.seen.open("a") as file:
            file.write("".join(f"{row}\n" for row in batch["id"]))
        if self.bad_row in batch["id"] and self.trap.exists():
            log = Path(self.trap.read_text())
            while len(list(log.iterdir())) == 1:  # Until a chunk is committed.
                os.sched_yield()
            raise RuntimeError("trapped")
        return {"id": batch["id"], "double": batch["id"] * 2}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(FILES):
        first = number * ROWS_OF_FILE
        table = pa.table({"id": range(first, first + ROWS_OF_FILE)})
        pq.write_table(table, folder / f"{number}.parquet")
    return folder


class Job:
    """Writes the recorder's rows, in chunks of a file each that are committed at once."""

    def __init__(self, source: Path, tmp_path: Path) -> None:
        self.source, self.tmp_path = source, tmp_path
        self.out = tmp_path / "out"
        self.seen = tmp_path / "seen"
        self.trap = tmp_path / "trap"
        self.read: Callable[[Path], penstock.data.Dataset] = penstock.data.read_parquet

    def run(self, *, bad_row: int = 755, out: Path | None = None, **options: Any) -> None:
        """Run it whole, or up to the row where it fails."""
        rows = self.read(self.source).map_batches(
            Recorder,
            fn_constructor_args=self.arguments(bad_row),
            batch_size=30,
            concurrency=1,
        )
        rows.write_parquet(out or self.out, **options)

    def arguments(self, bad_row: int = 755) -> list[Any]:
        """Return the recorder's; what would be paths as bytes, since files that are named count."""
        return [os.fsencode(self.seen), os.fsencode(self.trap), bad_row]

    def cut_off(self) -> None:
        """Run it until the row at which it fails; some chunks are committed by then."""
        self.trap.write_text(str(self.out / "_penstock" / "log"))
        with pytest.raises(RuntimeError, match="trapped"):
            self.run()
        self.trap.unlink()

    def take_seen(self) -> list[int]:
        """Return the rows that functions saw since the last time."""
        rows = [int(line) for line in self.seen.read_text().split()] if self.seen.exists() else []
        self.seen.unlink(missing_ok=True)
        return rows


@pytest.fixture
def job(source: Path, tmp_path: Path, context: Any) -> Job:
    context.rows_per_chunk = ROWS_OF_FILE
    context.commit_interval_s = 0
    return Job(source, tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in part_files(folder)}


def entries(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text().splitlines()[0])
        for path in sorted((folder / "_penstock" / "log").iterdir())
    ]


def rows_on_record(folder: Path) -> set[int]:
    """Return the rows of the chunks, a file each, that are done: not always the first."""
    ranges = entries(folder)[-1]["done"]
    chunks = {chunk for first, last in ranges for chunk in range(first, last + 1)}
    return {row for row in range(ROWS) if row // ROWS_OF_FILE in chunks}


def test_a_job_that_was_cut_off_does_what_is_left_and_writes_the_same(job: Job) -> None:
    job.run(out=job.tmp_path / "clean")
    job.take_seen()
    job.cut_off()
    done = rows_on_record(job.out)
    assert 0 < len(done) < ROWS
    read = [row for part in part_files(job.out) for row in pq.read_table(part)["id"].to_pylist()]
    assert set(read) == done
    job.take_seen()
    job.run()
    assert set(job.take_seen()) == set(range(ROWS)) - done
    assert contents(job.out) == contents(job.tmp_path / "clean")
    told = {"in": ROWS, "out": ROWS, "dead": 0, "filtered": None}
    assert entries(job.out)[-1]["rows"] == told


def test_a_job_that_is_done_does_nothing_and_says_so(job: Job, capfd: Any) -> None:
    job.run()
    before = contents(job.out)
    job.take_seen()
    job.run()
    assert job.take_seen() == []
    assert contents(job.out) == before
    assert "nothing is left to do" in capfd.readouterr().err


def test_success_is_marked_at_the_end_alone(job: Job) -> None:
    job.cut_off()
    assert not (job.out / "_SUCCESS").exists()
    job.run()
    assert (job.out / "_SUCCESS").exists()


def test_a_job_that_failed_before_a_commit_leaves_nothing(source: Path, tmp_path: Path) -> None:
    def fail(batch: Any) -> Any:
        raise RuntimeError("at once")

    with pytest.raises(RuntimeError, match="at once"):
        penstock.data.read_parquet(source).map_batches(fail).write_parquet(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_number_of_workers_goes_on_with_the_job(job: Job) -> None:
    job.cut_off()
    rows = penstock.data.read_parquet(job.source).map_batches(
        Recorder,
        fn_constructor_args=job.arguments(),
        batch_size=30,
        concurrency=3,
        num_cpus=0.5,
    )
    rows.write_parquet(job.out)
    assert penstock.data.read_parquet(job.out).sum("double") == ROWS * (ROWS - 1)


def _change_input(job: Job) -> None:
    pq.write_table(pa.table({"id": range(7)}), job.source / "3.parquet")
    job.run()


def _add_input(job: Job) -> None:
    pq.write_table(pa.table({"id": range(7)}), job.source / "extra.parquet")
    job.run()


def _change_code(job: Job) -> None:
    original = Recorder.__call__
    try:
        Recorder.__call__ = lambda self, batch: {"id": batch["id"], "double": batch["id"] * 3}  # type: ignore[method-assign]
        job.run()
    finally:
        Recorder.__call__ = original  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda job: job.run(bad_row=5), "the arguments of Recorder has changed"),
        (lambda job: job.run(compression="zstd"), r"Write\(parquet\) has changed"),
        (_change_input, r"the file .*/3\.parquet has changed"),
        (_add_input, r"the file .*/extra\.parquet"),
        (_change_code, "the code of Recorder has changed"),
    ],
    ids=["arguments", "options", "a file", "one more file", "code"],
)
def test_a_job_that_has_changed_is_refused_with_what_has(
    job: Job, change: Callable[[Job], None], named: str, monkeypatch: Any
) -> None:
    job.cut_off()
    before = contents(job.out)
    with pytest.raises(JobChangedError, match=named):
        change(job)
    assert contents(job.out) == before
    monkeypatch.undo()


def test_a_file_that_a_python_library_reads_counts_like_one_that_the_engine_reads(
    job: Job, context: Any
) -> None:
    fastavro = pytest.importorskip("fastavro")
    schema = {"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]}
    for number in range(FILES):
        with (job.source / f"{number}.avro").open("wb") as file:
            rows = range(number * ROWS_OF_FILE, (number + 1) * ROWS_OF_FILE)
            fastavro.writer(file, schema, [{"id": row} for row in rows])
    context.rows_per_chunk = 1  # A file: its rows are not known before.
    job.read = penstock.data.read_avro
    job.cut_off()
    (job.source / "3.avro").write_bytes((job.source / "4.avro").read_bytes())
    with pytest.raises(JobChangedError, match=r"the file .*/3\.avro has changed"):
        job.run()


class Scaler:
    """Multiplies by the number in a file, and writes to another as it goes."""

    def __init__(self, model: str, log: str, job: Job) -> None:
        self.factor = int(Path(model).read_text())
        self.log = Path(log)
        self.record = Recorder(*job.arguments())

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        with self.log.open("a") as file:
            file.write("a batch\n")
        return {"scaled": self.record(batch)["id"] * self.factor}


def _scale(job: Job, model: Path, log: Path) -> None:
    rows = penstock.data.read_parquet(job.source).map_batches(
        Scaler, fn_constructor_args=[str(model), str(log), job], concurrency=1
    )
    rows.write_parquet(job.out)


@pytest.mark.parametrize("log_is_there", ["before", "not yet"])
def test_a_file_that_the_function_writes_to_changes_no_job_but_a_model_does(
    job: Job, log_is_there: str
) -> None:
    model, log = job.tmp_path / "model", job.tmp_path / "log"
    model.write_text("3")
    if log_is_there == "before":
        log.touch()
    job.trap.write_text(str(job.out / "_penstock" / "log"))
    with pytest.raises(RuntimeError, match="trapped"):
        _scale(job, model, log)
    job.trap.unlink()
    old = model.stat()
    model.write_text("4")
    with pytest.raises(JobChangedError, match=r"the file .*/model \(an argument of Scaler\)"):
        _scale(job, model, log)
    model.write_text("3")
    os.utime(model, ns=(old.st_atime_ns, old.st_mtime_ns))
    _scale(job, model, log)
    assert penstock.data.read_parquet(job.out).sum("scaled") == 3 * ROWS * (ROWS - 1) // 2


def test_a_changed_job_of_which_nothing_is_done_begins_anew(job: Job, context: Any) -> None:
    context.commit_interval_s = 1000
    job.out.mkdir()  # So that the folder stays.
    job.run(bad_row=-1)
    log = job.out / "_penstock" / "log"
    for entry in sorted(log.iterdir())[1:]:
        entry.unlink()
    job.run(bad_row=-2, out=job.out)
    assert penstock.data.read_parquet(job.out).count() >= ROWS


def test_a_changed_job_may_begin_anew(job: Job) -> None:
    job.cut_off()
    job.run(bad_row=5, on_mismatch="restart")
    assert penstock.data.read_parquet(job.out).count() == ROWS
    assert len(part_files(job.out)) == FILES


def test_modes_that_are_given_mean_what_they_say(job: Job) -> None:
    job.run()
    job.run(mode="append")
    assert penstock.data.read_parquet(job.out).count() == 2 * ROWS
    job.run(mode="overwrite")
    assert penstock.data.read_parquet(job.out).count() == ROWS
    assert not (job.out / "_penstock").exists()


def test_a_damaged_ledger_is_refused_by_name(job: Job) -> None:
    job.cut_off()
    last = max((job.out / "_penstock" / "log").iterdir())
    last.write_bytes(last.read_bytes()[:-20])
    with pytest.raises(CorruptDataError, match=last.name):
        job.run()


def test_files_that_were_committed_and_not_shown_are_shown_by_the_next_run(job: Job) -> None:
    job.run()
    clean = contents(job.out)
    hidden = entries(job.out)[-1]["files"]
    (job.out / "_penstock" / "pending").mkdir()
    for file in hidden:
        (job.out / file["name"]).rename(job.out / file["temporary"])
    (job.out / "_SUCCESS").unlink()
    job.run()
    assert contents(job.out) == clean
    assert (job.out / "_SUCCESS").exists()


def test_what_an_earlier_run_left_unfinished_is_removed(job: Job) -> None:
    job.cut_off()
    stray = job.out / "_penstock" / "pending" / "000007.tmp"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half a file")
    job.run()
    assert not stray.exists()


def test_a_second_run_is_refused_while_the_first_lives(job: Job) -> None:
    (job.out / "_penstock").mkdir(parents=True)
    with (job.out / "_penstock" / "lock").open("w") as lock:
        lock.write("process 7 on elsewhere")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputTakenError, match="process 7 on elsewhere"):
            job.run()
    job.run()
    assert penstock.data.read_parquet(job.out).count() == ROWS


@pytest.mark.parametrize("cut", [{"limit": 400}, {"repartition": 3}], ids=["limit", "repartition"])
def test_a_job_that_mixes_chunks_is_done_whole_or_not_at_all(job: Job, cut: dict[str, int]) -> None:
    ds = penstock.data.read_parquet(job.source)
    for verb, number in cut.items():
        ds = getattr(ds, verb)(number)
    ds.write_json(job.out)
    before = contents(job.out)
    ds.write_json(job.out)
    assert contents(job.out) == before
    assert len(entries(job.out)) == 2


@pytest.mark.parametrize("order", ["kept", "free"])
def test_rows_of_the_function_may_be_fewer_or_more(job: Job, context: Any, order: str) -> None:
    context.execution_options.preserve_order = order == "kept"

    def some(row: dict[str, Any]) -> list[dict[str, Any]]:
        if row["id"] == 755 and job.trap.exists():
            raise RuntimeError("trapped")
        return [row] * (row["id"] % 3)

    def run(out: Path) -> None:
        penstock.data.read_parquet(job.source).filter(expr="id >= 200").flat_map(
            some, concurrency=2
        ).write_csv(out)

    run(job.tmp_path / "clean")
    job.trap.touch()
    with pytest.raises(RuntimeError, match="trapped"):
        run(job.out)
    job.trap.unlink()
    run(job.out)
    assert contents(job.out) == contents(job.tmp_path / "clean")
    wanted = [number for number in range(200, ROWS) for _ in range(number % 3)]
    assert sorted(row["id"] for row in penstock.data.read_csv(job.out).take_all()) == wanted
    assert entries(job.out)[-1]["rows"]["out"] == len(wanted)


def test_a_job_whose_input_nobody_can_tell_keeps_no_ledger_and_appends(tmp_path: Path) -> None:
    base = tmp_path / "base.sqlite"
    with sqlite3.connect(base) as connection:
        connection.execute("CREATE TABLE rows AS SELECT 1 AS id")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(base)

    for _ in range(2):
        penstock.data.read_sql("SELECT * FROM rows", connect).write_parquet(tmp_path / "out")
    assert penstock.data.read_parquet(tmp_path / "out").count() == 2
    assert not (tmp_path / "out" / "_penstock").exists()
