"""The Markdown table of the benchmarks, from runs made by hand."""

# ruff: noqa: RUF001 - the table has dashes and multiplication signs

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.measure import Run
from harness.table import Measured, disagreements, markdown, notes, size, spread
from harness.workloads import ENGINES, WORKLOADS, Workload, select

WORK = Workload(name="work", title="some work", arguments=(), small_arguments=())
LOOP_REPORT = {"rows": 100.0, "checksum": 5.0}


def timed(*seconds: float, report: dict[str, float] | None = None) -> list[Run]:
    return [Run(outcome="ok", seconds=s, report=report or LOOP_REPORT) for s in seconds]


def measured(*seconds: float, memory_bytes: int = 3 * 2**29) -> Measured:
    memory_run = Run(outcome="ok", seconds=9, memory_bytes=memory_bytes, report=LOOP_REPORT)
    return Measured(memory_run=memory_run, timed_runs=timed(*seconds))


def cells(work: Workload, results: dict[str, Measured]) -> list[str]:
    keyed = {(work.name, engine): results[engine] for engine in ENGINES if engine in results}
    return [cell.strip() for cell in markdown([work], keyed, ENGINES).splitlines()[2].split("|")]


def test_a_cell_holds_median_ratio_to_the_loop_and_peak_memory() -> None:
    row = cells(WORK, {"loop": measured(2, 1, 90), "penstock": measured(3, 3, 2.5)})
    assert row[1:-1] == ["some work", "–", "–", "2.00 s, 1.50 GiB", "3.00 s (1.50×), 1.50 GiB"]


def test_the_run_that_sampled_memory_is_not_timed() -> None:
    assert cells(WORK, {"loop": measured(1)})[4] == "1.00 s, 1.50 GiB"


def test_a_job_that_broke_once_shows_how_and_no_number() -> None:
    hangs = Measured(timed_runs=[*timed(1), Run(outcome="timeout", seconds=120)])
    fails = Measured(memory_run=Run(outcome="failed", seconds=1, message="no such module"))
    row = cells(WORK, {"ray": hangs, "daft": fails, "loop": measured(1)})
    assert row[2:4] == ["timeout", "failed"]


def test_notes_say_why_a_job_broke_and_what_a_row_means() -> None:
    hangs = Measured(timed_runs=[*timed(1), Run(outcome="timeout", seconds=120)])
    fails = Measured(memory_run=Run(outcome="failed", seconds=1, message="no such module."))
    noted = replace(WORK, name="noted", note="lists, reads nothing")
    results = {("work", "ray"): hangs, ("work", "daft"): fails, ("work", "loop"): measured(1)}
    assert notes([WORK, noted], results, ENGINES).splitlines() == [
        "- `work`: Ray Data had not ended after 120 s.",
        "- `work`: Daft failed: no such module.",
        "- `noted`: lists, reads nothing.",
    ]
    assert notes([WORK], {("work", "loop"): measured(1)}, ENGINES) == ""


def test_figures_other_than_seconds_have_their_unit() -> None:
    rate = Workload(
        name="rate", title="r", arguments=(), small_arguments=(), figure="rows_per_second"
    )
    assert cells(rate, {"loop": measured(2), "penstock": measured(1)})[4:6] == [
        "50 rows/s, 1.50 GiB",
        "100 rows/s (2.00×), 1.50 GiB",
    ]
    cost = Workload(
        name="cost", title="c", arguments=(), small_arguments=(), figure="microseconds_per_batch"
    )
    runs = timed(1, report={**LOOP_REPORT, "microseconds_per_batch": 12.34})
    assert cells(cost, {"penstock": Measured(timed_runs=runs)})[5] == "12.3 µs"


def test_large_ratios_have_no_decimals_and_small_memory_is_in_mib() -> None:
    assert cells(WORK, {"loop": measured(1), "ray": measured(42.4)})[2] == "42.40 s (42×), 1.50 GiB"
    assert size(20 * 2**20) == "20 MiB"


def test_spread_names_smallest_median_and_largest() -> None:
    text = spread([WORK], {("work", "loop"): measured(3, 1, 2)}, ENGINES)
    assert text.splitlines()[2:] == ["| `work` | bare Python loop | 3 | 1.00 s | 2.00 s | 3.00 s |"]


@pytest.mark.parametrize("report", [{"rows": 99.0, "checksum": 5.0}, {"rows": 100, "checksum": 6}])
def test_an_engine_that_computed_something_else_is_named(report: dict[str, float]) -> None:
    other = Measured(timed_runs=timed(1, report=report))
    sentences = disagreements(WORK, {("work", "loop"): measured(1), ("work", "daft"): other})
    assert len(sentences) == 1
    assert "Daft" in sentences[0]


def test_sums_that_differ_by_rounding_agree() -> None:
    near = Measured(timed_runs=timed(1, report={"rows": 100.0, "checksum": 5.0000001}))
    assert disagreements(WORK, {("work", "loop"): measured(1), ("work", "ray"): near}) == []


def test_select_keeps_the_order_of_the_table_and_names_what_is_unknown() -> None:
    assert [work.name for work in select(["integers", "first_row"])] == ["first_row", "integers"]
    assert select([]) == list(WORKLOADS)
    with pytest.raises(ValueError, match="got: sorting"):
        select(["sorting"])
