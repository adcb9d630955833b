"""Rows for which a function fails are found, put on record, and left out; all others are there."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from part_files import part_files

import penstock
from penstock import ledger
from penstock.exceptions import UserCodeException

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 400
BAD = {0, 7, 8, 130, 255, 256, ROWS - 1}


def fails_on(bad: set[int], how: Callable[[], object]) -> Callable[..., Any]:
    def double(batch: dict[str, Any]) -> dict[str, Any]:
        if bad.intersection(batch["id"].tolist()):
            how()
        return {"id": batch["id"], "double": batch["id"] * 2}

    return double


def raise_error() -> None:
    raise ValueError("this row is bad")


@pytest.fixture
def source(tmp_path: Path) -> str:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        first = number * (ROWS // 4)
        table = pa.table({"id": range(first, first + ROWS // 4)})
        pq.write_table(table, folder / f"{number}.parquet")
    return str(folder)


def written(folder: Path) -> list[int]:
    ids: list[int] = []
    for file in part_files(folder):
        ids += pq.read_table(file)["id"].to_pylist()
    return sorted(ids)


def left_out(folder: Path) -> list[int]:
    return sorted(row["row"]["id"] for row in penstock.dead_letters(folder).take_all())


class TestRowsThatRaise:
    @pytest.mark.parametrize("batch_size", [1, 3, 64, None])
    def test_they_alone_become_dead_letters(
        self, source: str, tmp_path: Path, batch_size: int | None
    ) -> None:
        out = tmp_path / "out"
        function = fails_on(BAD, raise_error)
        penstock.data.read_parquet(source).map_batches(
            function, batch_size=batch_size, on_error="dead_letter"
        ).write_parquet(str(out))
        assert written(out) == sorted(set(range(ROWS)) - BAD)
        assert left_out(out) == sorted(BAD)
        found = ledger.verify(out)
        assert found.problems == []
        assert (found.rows_in, found.rows_out, found.rows_dead) == (ROWS, ROWS - len(BAD), len(BAD))

    def test_a_letter_says_what_failed_and_where_the_row_came_from(
        self, source: str, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        penstock.data.read_parquet(source).map_batches(
            fails_on({130}, raise_error), batch_size=64, on_error="dead_letter"
        ).write_parquet(str(out))
        (letter,) = penstock.dead_letters(out).take_all()
        assert letter["stage"] == "MapBatches(double)"
        assert letter["stage_index"] == 1
        assert letter["function"] == "double"
        assert letter["cause"] == "exception"
        assert letter["exception"] == "ValueError"
        assert letter["message"] == "this row is bad"
        assert "raise ValueError" in letter["traceback"]
        assert letter["source"].endswith("1.parquet, row group 0")
        assert letter["source_row"] == 30
        assert letter["row"] == {"id": 130}
        assert letter["attempts"] >= 1

    def test_it_takes_as_many_calls_as_bisection_does(self, source: str, tmp_path: Path) -> None:
        calls = tmp_path / "calls"

        def double(batch: dict[str, Any], calls: bytes) -> dict[str, Any]:
            with Path(os.fsdecode(calls)).open("a") as file:
                file.write(f"{len(batch['id'])}\n")
            if 77 in batch["id"]:
                raise ValueError("bad")
            return batch

        penstock.data.range(128, override_num_blocks=1).map_batches(
            double, batch_size=128, fn_args=[os.fsencode(calls)], on_error="drop"
        ).materialize()
        halves = calls.read_text().split()[1:]
        assert len(halves) <= 2 * 7

    def test_a_row_function_tells_its_row_so_that_no_search_is_needed(
        self, source: str, tmp_path: Path
    ) -> None:
        calls = tmp_path / "calls"

        def check(row: dict[str, Any], calls: bytes) -> dict[str, Any]:
            with Path(os.fsdecode(calls)).open("a") as file:
                file.write(f"{row['id']}\n")
            if row["id"] == 77:
                raise ValueError("bad")
            return row

        out = penstock.data.range(128, override_num_blocks=1).map(
            check, fn_args=[os.fsencode(calls)], on_error="drop"
        )
        assert out.count() == 127
        assert calls.read_text().split().count("77") == 2
        assert len(calls.read_text().split()) <= 128 + 78 + 1

    def test_all_rows_may_fail(self, source: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        penstock.data.read_parquet(source).map_batches(
            fails_on(set(range(ROWS)), raise_error), batch_size=50, on_error="dead_letter"
        ).write_parquet(str(out))
        assert left_out(out) == list(range(ROWS))
        assert ledger.verify(out).problems == []

    def test_what_a_generator_yielded_before_it_raised_is_not_written_twice(
        self, tmp_path: Path
    ) -> None:
        def each(batch: dict[str, Any]) -> Any:
            for row in batch["id"].tolist():
                if row == 5:
                    raise ValueError("bad")
                yield {"id": np.array([row])}

        result = penstock.data.range(12, override_num_blocks=1).map_batches(
            each, batch_size=12, on_error="drop"
        )
        assert [row["id"] for row in result.take_all()] == [*range(5), *range(6, 12)]

    def test_a_filter_and_a_flat_map_leave_out_rows_of_theirs_alone(self, tmp_path: Path) -> None:
        def twice(row: dict[str, Any]) -> list[dict[str, Any]]:
            return [{"id": row["id"], "half": half} for half in (0, 1)]

        def check(row: dict[str, Any]) -> bool:
            if row["id"] == 3 and row["half"] == 1:
                raise ValueError("bad")
            return bool(row["id"] % 2)

        out = tmp_path / "out"
        penstock.data.range(6).flat_map(twice, on_error="dead_letter").filter(
            check, on_error="dead_letter"
        ).write_parquet(str(out))
        assert written(out) == [1, 1, 3, 5, 5]
        (letter,) = penstock.dead_letters(out).take_all()
        assert letter["row"] == {"id": 3, "half": 1}
        assert letter["source_row"] is None


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    bad=st.sets(st.integers(0, 119), max_size=12),
    batch_size=st.integers(1, 130),
    files=st.integers(1, 5),
    in_order=st.booleans(),
)
def test_the_dead_letters_are_exactly_the_rows_that_fail(
    bad: set[int],
    batch_size: int,
    files: int,
    in_order: bool,  # noqa: FBT001  # Hypothesis gives it.
) -> None:
    context = penstock.data.DataContext.get_current()
    context.execution_options.preserve_order = in_order
    try:
        job = penstock.data.range(120, override_num_blocks=files).map_batches(
            fails_on(bad, raise_error), batch_size=batch_size, on_error="dead_letter"
        )
    finally:
        context.execution_options.preserve_order = True
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        job.write_parquet(str(out))
        assert written(out) == sorted(set(range(120)) - bad)
        assert (left_out(out) if bad else []) == sorted(bad)
        assert ledger.verify(out).problems == []


MEMORY_BYTES = 256 << 20  # What a worker of these tests may take beside what it has.


def exhaust_memory() -> None:
    """Take memory until there is none, under a ceiling of this process's own."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, resource.RLIM_INFINITY))
    try:
        held = [bytearray(16 << 20) for _ in range(64)]
        raise AssertionError(f"{len(held)} pieces of memory were to be had")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def exhaust_memory_and_end() -> None:
    """Do the same, as what does not hear of it: libraries of C end their process then."""
    try:
        exhaust_memory()
    except MemoryError:
        os.abort()


HOW = {
    "raise": (raise_error, "exception"),
    "crash": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "crash"),
    "hang": (lambda: threading.Event().wait(), "timeout"),
    "memory": (exhaust_memory, "exception"),
    "memory, and end": (exhaust_memory_and_end, "crash"),
}
POISON_ROWS = 32


def poisoned(poison: dict[int, str]) -> Callable[..., Any]:
    acts = {row: HOW[how][0] for row, how in poison.items()}

    def work(batch: dict[str, Any]) -> dict[str, Any]:
        for row in batch["id"].tolist():
            if row in acts:
                acts[row]()
        return {"id": batch["id"]}

    return work


def check_poison(poison: dict[int, str], batch_size: int, files: int) -> None:
    """Run a job with rows that fail in several ways; exactly these become dead letters."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        penstock.data.range(POISON_ROWS, override_num_blocks=files).map_batches(
            poisoned(poison),
            batch_size=batch_size,
            batch_timeout_s=1,
            concurrency=2,
            on_error="dead_letter",
        ).write_parquet(str(out))
        assert written(out) == sorted(set(range(POISON_ROWS)) - set(poison))
        letters = penstock.dead_letters(out).take_all() if poison else []
        causes = {letter["row"]["id"]: letter["cause"] for letter in letters}
        assert causes == {row: HOW[how][1] for row, how in poison.items()}
        assert len(letters) == len(poison)
        assert ledger.verify(out).problems == []


poisons = st.dictionaries(st.integers(0, POISON_ROWS - 1), st.sampled_from(sorted(HOW)), max_size=2)


@settings(max_examples=3, deadline=None, derandomize=True)
@example(poison={3: "hang", 20: "memory"}, batch_size=5, files=1)
@example(poison={0: "memory, and end", 31: "raise", 8: "crash"}, batch_size=12, files=2)
@given(poison=poisons, batch_size=st.integers(1, 12), files=st.integers(1, 4))
def test_rows_that_hang_crash_or_exhaust_memory_become_the_dead_letters(
    poison: dict[int, str], batch_size: int, files: int
) -> None:
    check_poison(poison, batch_size, files)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    poison=st.dictionaries(
        st.integers(0, POISON_ROWS - 1), st.sampled_from(sorted(HOW)), max_size=6
    ),
    batch_size=st.integers(1, POISON_ROWS),
    files=st.integers(1, 4),
)
def test_so_do_many_of_them(poison: dict[int, str], batch_size: int, files: int) -> None:
    check_poison(poison, batch_size, files)


class TestRowsThatEndTheirWorker:
    @pytest.mark.parametrize(
        ("how", "cause"),
        [
            (lambda: os.kill(os.getpid(), signal.SIGSEGV), "crash"),
            (lambda: os._exit(3), "crash"),
        ],
    )
    def test_they_alone_become_dead_letters(
        self, source: str, tmp_path: Path, how: Callable[[], object], cause: str
    ) -> None:
        out = tmp_path / "out"
        bad = {7, 8, 255}
        penstock.data.read_parquet(source).map_batches(
            fails_on(bad, how), batch_size=32, concurrency=2, on_error="dead_letter"
        ).write_parquet(str(out))
        assert written(out) == sorted(set(range(ROWS)) - bad)
        assert left_out(out) == sorted(bad)
        assert {letter["cause"] for letter in penstock.dead_letters(out).take_all()} == {cause}

    def test_those_that_hang_are_found_by_their_time(self, source: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        penstock.data.read_parquet(source).map_batches(
            fails_on({200}, lambda: threading.Event().wait()),
            batch_size=4,
            batch_timeout_s=0.5,
            on_error="dead_letter",
        ).write_parquet(str(out))
        (letter,) = penstock.dead_letters(out).take_all()
        assert (letter["row"]["id"], letter["cause"]) == (200, "timeout")
        assert len(written(out)) == ROWS - 1

    def test_one_costs_few_workers_their_lives(self, tmp_path: Path) -> None:
        result = penstock.data.range(64, override_num_blocks=1).map_batches(
            fails_on({0}, lambda: os._exit(1)), batch_size=64, concurrency=1, on_error="drop"
        )
        done = result.materialize()
        assert done.count() == 63
        deaths = next(line for line in done.stats().splitlines() if "workers that died" in line)
        assert int(deaths.split("workers that died and were replaced: ")[1].split(";")[0]) <= 6 + 2


class TestBudgets:
    def test_a_job_ends_with_the_last_error_when_more_rows_fail_than_may(
        self, source: str, tmp_path: Path
    ) -> None:
        job = penstock.data.read_parquet(source).map_batches(
            fails_on(BAD, raise_error), batch_size=10, on_error="dead_letter", max_errors=3
        )
        with pytest.raises(UserCodeException, match="4 rows failed, where 3 may") as raised:
            job.write_parquet(str(tmp_path / "out"))
        assert "this row is bad" in str(raised.value)

    def test_as_many_as_allowed_may_fail(self, source: str) -> None:
        job = penstock.data.read_parquet(source).map_batches(
            fails_on(BAD, raise_error), batch_size=10, on_error="drop", max_errors=len(BAD)
        )
        assert job.materialize().count() == ROWS - len(BAD)

    @pytest.mark.parametrize("share", ["1 %", 0.01])
    def test_a_share_is_of_the_rows_of_the_stage(self, source: str, share: float | str) -> None:
        job = penstock.data.read_parquet(source)
        function = fails_on(BAD, raise_error)
        with pytest.raises(Exception, match="7 rows failed, where 1 % may"):
            job.map_batches(function, on_error="drop", max_errors=share).materialize()
        job.map_batches(function, on_error="drop", max_errors="2 %").materialize()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"on_error": "skip"}, "on_error must be one of raise, dead_letter, drop; got: 'skip'"),
            ({"max_errors": 3}, "max_errors needs on_error"),
            ({"on_error": "drop", "max_errors": "many"}, "a share such as"),
            ({"on_error": "drop", "max_errors": -2}, "at least 0, or -1"),
            ({"on_error": "drop", "max_errors": "101 %"}, "a share such as"),
        ],
    )
    def test_values_that_make_no_sense_are_refused(
        self, options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            penstock.data.range(3).map(lambda row: row, **options)

    def test_a_budget_of_rows_counts_beside_rays_of_blocks(self, source: str) -> None:
        context = penstock.data.DataContext.get_current()
        context.max_errored_blocks = -1
        try:
            job = penstock.data.read_parquet(source).map_batches(
                fails_on(BAD, raise_error), batch_size=100, max_errors=2
            )
        finally:
            context.max_errored_blocks = 0
        with pytest.raises(UserCodeException, match="3 rows failed, where 2 may"):
            job.materialize()

    def test_rays_budget_of_blocks_counts_batches(self, source: str, tmp_path: Path) -> None:
        context = penstock.data.DataContext.get_current()
        context.max_errored_blocks = 2
        try:
            job = penstock.data.read_parquet(source)
            good = job.map_batches(fails_on({1, 2, 3, 102}, raise_error), batch_size=100)
            bad = job.map_batches(fails_on({1, 102, 203}, raise_error), batch_size=100)
        finally:
            context.max_errored_blocks = 0
        good.write_parquet(str(tmp_path / "out"))
        assert left_out(tmp_path / "out") == [1, 2, 3, 102]
        with pytest.raises(UserCodeException, match="only 2 batches may have such"):
            bad.materialize()


class TestOutputs:
    def test_without_an_output_rows_are_only_left_out(
        self, source: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        job = penstock.data.read_parquet(source).map_batches(
            fails_on({5}, raise_error), on_error="dead_letter"
        )
        assert len(job.take_all()) == ROWS - 1
        assert "MapBatches(double) failed for 1 of 400 rows" in capfd.readouterr().err

    def test_dropped_rows_are_counted_and_not_kept(self, source: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        penstock.data.read_parquet(source).map_batches(
            fails_on({5}, raise_error), on_error="drop"
        ).write_parquet(str(out))
        found = ledger.verify(out)
        assert (found.rows_dead, found.problems) == (1, [])
        with pytest.raises(FileNotFoundError, match="No row was left out here"):
            penstock.dead_letters(out)

    @pytest.mark.parametrize("mode", ["append", "overwrite"])
    def test_other_modes_keep_letters_too(self, source: str, tmp_path: Path, mode: str) -> None:
        out = tmp_path / "out"
        job = penstock.data.read_parquet(source)
        for _ in range(2):
            job.map_batches(fails_on({5}, raise_error), on_error="dead_letter").write_parquet(
                str(out), mode=mode
            )
        times = 2 if mode == "append" else 1
        assert left_out(out) == [5] * times
        assert len(written(out)) == times * (ROWS - 1)

    @pytest.mark.parametrize("mode", [None, "append"])
    def test_stages_may_leave_out_rows_of_different_columns(
        self, tmp_path: Path, mode: str | None
    ) -> None:
        def as_text(row: dict[str, Any]) -> dict[str, Any]:
            if row["id"] == 1:
                raise ValueError("of the first")
            return {"id": str(row["id"])}

        def refuse(batch: dict[str, Any]) -> dict[str, Any]:
            if "3" in list(batch["id"]):
                raise ValueError("of the second")
            return batch

        out = tmp_path / "out"
        penstock.data.range(6, override_num_blocks=1).map(
            as_text, on_error="dead_letter"
        ).map_batches(refuse, on_error="dead_letter").write_parquet(str(out), mode=mode)
        letters = [penstock.dead_letters(out, stage=stage).take_all() for stage in (1, 2)]
        assert [[row["row"]["id"] for row in rows] for rows in letters] == [[1], ["3"]]
        together = penstock.dead_letters(out)
        assert "row" not in (together.columns() or [])
        assert sorted(row["message"] for row in together.take_all()) == [
            "of the first",
            "of the second",
        ]

    def test_tensors_and_text_are_kept_as_they_were(self, tmp_path: Path) -> None:
        rows = [{"id": n, "image": np.full((2, 3), n, np.uint8), "text": f"é{n}"} for n in range(4)]
        out = tmp_path / "out"
        penstock.data.from_items(rows).map(
            lambda row: {"id": 1 // int(row["id"] != 2)}, on_error="dead_letter"
        ).write_parquet(str(out))
        (letter,) = penstock.dead_letters(out).take_all()
        assert letter["row"]["text"] == "é2"
        (file,) = (out / "_penstock" / "dead_letters").iterdir()
        image = pq.read_table(file)["row"].combine_chunks().field("image")
        assert image.to_numpy_ndarray().tolist() == [[[2, 2, 2], [2, 2, 2]]]

    def test_a_resumed_job_keeps_the_letters_of_the_first_run(
        self, source: str, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        trap = tmp_path / "trap"
        trap.touch()
        log = out / "_penstock" / "log"

        def cut_off(batch: dict[str, Any], trap: bytes, log: bytes) -> dict[str, Any]:
            if 350 in batch["id"] and Path(os.fsdecode(trap)).exists():
                while (
                    len(list(Path(os.fsdecode(log)).iterdir())) < 2
                ):  # Until a chunk is committed.
                    os.sched_yield()
                raise RuntimeError("trapped")
            return batch

        context = penstock.data.DataContext.get_current()
        context.rows_per_chunk, context.commit_interval_s = 100, 0
        try:
            job = (
                penstock.data.read_parquet(source)
                .map_batches(
                    fails_on({5, 351}, raise_error), batch_size=100, on_error="dead_letter"
                )
                .map_batches(cut_off, batch_size=100, fn_args=[os.fsencode(trap), os.fsencode(log)])
            )
        finally:
            context.rows_per_chunk, context.commit_interval_s = None, 0.5
        with pytest.raises(UserCodeException, match="trapped"):
            job.write_parquet(str(out))
        trap.unlink()
        job.write_parquet(str(out))
        assert left_out(out) == [5, 351]
        found = ledger.verify(out)
        assert (found.problems, found.rows_dead, found.rows_out) == ([], 2, ROWS - 2)


class TestPlans:
    def test_a_limit_does_not_sink_below_what_may_leave_rows_out(self) -> None:
        job = penstock.data.range(100, override_num_blocks=1).map(
            lambda row: {"id": 1 // int(row["id"] > 4) * row["id"]}, on_error="drop"
        )
        assert [row["id"] for row in job.take(3)] == [5, 6, 7]
        assert job.count() == 95

    def test_zip_is_refused_behind_it(self) -> None:
        job = penstock.data.range(10).map(lambda row: row, on_error="drop")
        with pytest.raises(ValueError, match="beside others than their own"):
            job.zip(penstock.data.range(10)).take_all()

    def test_grouping_by_length_is_refused_with_it(self) -> None:
        with pytest.raises(ValueError, match="none may be left out"):
            penstock.data.from_items(["a", "bb"]).map_batches(
                lambda batch: batch, batch_size=2, group_by_length="item", on_error="drop"
            )

    def test_asynchronous_functions_are_searched_too(self) -> None:
        async def double(batch: dict[str, Any]) -> dict[str, Any]:
            if 9 in batch["id"]:
                raise ValueError("bad")
            return batch

        job = penstock.data.range(100, override_num_blocks=1).map_batches(
            double, batch_size=8, on_error="drop"
        )
        assert [row["id"] for row in job.take_all()] == [*range(9), *range(10, 100)]

    def test_a_batch_that_yields_more_than_the_budget_ends_the_job(self) -> None:
        def many(batch: dict[str, Any]) -> Any:
            for _ in range(64):
                yield {"x": np.zeros((1, 1 << 20), np.uint8)}

        job = penstock.data.range(1).map_batches(many, on_error="drop")
        penstock.init(object_store_memory=8 << 20, ignore_reinit_error=True)
        try:
            with pytest.raises(Exception, match="holds what a batch yields"):
                job.materialize()
        finally:
            penstock.shutdown()
