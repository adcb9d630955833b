from __future__ import annotations

from penstock.statistics import stats_text
from snapshots import snapshot, stage


def test_each_stage_has_a_line_with_rows_bytes_and_times():
    line = next(line for line in stats_text(snapshot()).splitlines() if "MapBatches" in line)
    assert line.split() == [
        "MapBatches(Model)",
        "1,000",
        "900",
        *("3.0", "MiB"),
        "4",
        "2",
        *("0.50", "s"),
        *("5.0", "s"),
        *("2.0", "s"),
        *("1.0", "s"),
    ]


def test_the_first_line_has_the_whole_jobs_rows_rate_and_memory():
    first = stats_text(snapshot()).splitlines()[0]
    assert first == ("Finished in 4.0 s: 900 rows, 225 rows/s; at most 128.0 MiB of 512.0 MiB held")


def test_the_last_line_names_the_stage_that_holds_the_job_back():
    assert stats_text(snapshot()).endswith("\nMapBatches(Model) holds the job back.\n")


def test_an_unfinished_job_says_so():
    assert stats_text(snapshot(finished=False)).startswith("Running or stopped after 4.0 s")


def test_native_stages_show_no_workers():
    line = stats_text(snapshot(stage("Read(range)", workers=0))).splitlines()[2]
    assert line.split()[6] == "-"


def test_the_line_before_the_last_says_how_workers_came_to_be():
    assert stats_text(snapshot(stage())).splitlines()[-2] == "Workers: 2 spawned"


def test_a_job_without_workers_has_no_line_about_them():
    assert "Workers:" not in stats_text(snapshot(stage(), worker_starts=""))


def test_rows_that_were_filtered_are_told():
    assert "MapBatches(Model): rows filtered: 1,234" in stats_text(
        snapshot(stage(rows_filtered=1234))
    )


def test_rows_that_were_left_out_are_told():
    assert "MapBatches(Model): rows that failed and were left out: 3" in stats_text(
        snapshot(stage(rows_failed=3))
    )
