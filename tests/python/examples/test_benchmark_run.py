"""Running and measuring one benchmark job, and the harness as a whole with tiny sizes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import run as harness_run
from harness.workloads import ENGINES, PEERS, WORKLOADS

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
MEASURE = """
import dataclasses, json, os, sys
from harness.measure import run_job
from harness.processes import adopt_orphans, descendants

adopt_orphans()
code, timeout_s, sample = json.loads(sys.argv[1])
result = run_job(
    [sys.executable, "-c", code], environment=os.environ, timeout_s=timeout_s, sample_memory=sample
)
print(json.dumps({**dataclasses.asdict(result), "left": descendants()}))
"""
REPORT = 'print(\'{"rows": 3, "checksum": 4}\', flush=True)'


def measure(
    code: str, *, timeout_s: float = 60, sample: bool = False, before: str = ""
) -> dict[str, object]:
    """Measure in a process of its own, because the harness kills all of its descendants."""
    finished = subprocess.run(
        [sys.executable, "-c", before + MEASURE, json.dumps([code, timeout_s, sample])],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    result: dict[str, object] = json.loads(finished.stdout)
    return result


def test_a_job_that_ends_well_gives_its_report() -> None:
    result = measure(f"print('noise'); {REPORT}")
    assert result["outcome"] == "ok"
    assert result["report"] == {"rows": 3, "checksum": 4}
    assert result["memory_bytes"] is None


def test_a_job_that_raises_has_failed_and_says_why() -> None:
    result = measure(f"{REPORT}; raise ValueError('broken on purpose')")
    assert result["outcome"] == "failed"
    assert result["message"] == "ValueError: broken on purpose"


def test_a_job_without_a_report_has_failed() -> None:
    assert measure("pass")["outcome"] == "failed"


def test_a_job_past_its_timeout_is_killed_with_all_that_it_started() -> None:
    daemon = "subprocess.Popen(['sleep', '1000'], start_new_session=True)"
    result = measure(f"import subprocess, signal; {daemon}; signal.pause()", timeout_s=1)
    assert result["outcome"] == "timeout"
    assert result["left"] == []


def test_daemons_that_outlive_their_job_are_killed() -> None:
    daemon = "subprocess.Popen(['sleep', '1000'], start_new_session=True)"
    result = measure(f"import subprocess; {daemon}; {REPORT}")
    assert result["outcome"] == "ok"
    assert result["left"] == []


HELD_BYTES = 200 << 20
SAMPLED = f"""
import harness.measure, os, sys
take = harness.measure.tree_memory_bytes

def take_and_tell(**arguments):
    sample = take(**arguments)
    if sample >= {HELD_BYTES}:
        os.write(told, b"!!")  # One for each process of the job.
    return sample

told = os.open(os.environ["SAMPLED"], os.O_RDWR)
harness.measure.tree_memory_bytes = take_and_tell
"""
UNTIL_SAMPLED = "open(os.environ['SAMPLED'], 'rb', buffering=0).read(1)"


@pytest.mark.parametrize(
    "hold",
    [
        "held = b'x' * (200 << 20)",
        "fd = os.memfd_create('held'); os.posix_fallocate(fd, 0, 200 << 20)",
        "pid = os.fork(); held = b'x' * (200 << 20 if pid == 0 else 1); pid and os.waitpid(pid, 0)",
    ],
    ids=["private memory", "shared memory that is not mapped", "memory of a child"],
)
def test_peak_memory_counts(hold: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLED", str(tmp_path / "sampled"))
    os.mkfifo(tmp_path / "sampled")
    result = measure(f"import os; {hold}; {UNTIL_SAMPLED}; {REPORT}", sample=True, before=SAMPLED)
    assert result["outcome"] == "ok"
    assert isinstance(result["memory_bytes"], int)
    assert HELD_BYTES <= result["memory_bytes"] < 500 << 20


def test_every_engine_of_every_workload_has_its_script() -> None:
    scripts = {work.script(engine) for work in WORKLOADS for engine in work.engines}
    there = {
        file.name
        for file in (BENCHMARKS / "jobs").glob("*.py")
        if file.stem.rpartition("_")[2] in ENGINES
    }
    assert scripts == there


def test_small_leaves_the_peers_out_and_the_published_results_alone() -> None:
    options = harness_run.parse(["--small"])
    assert not PEERS.intersection(options.engines)
    assert options.rounds == 1
    assert options.output != BENCHMARKS / "RESULTS.md"
    assert harness_run.parse([]).output == BENCHMARKS / "RESULTS.md"


def test_jobs_may_keep_their_compiled_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in harness_run.job_environment(tmp_path)


def test_a_workload_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        harness_run.parse(["--only", "sorting"])
    assert "got: sorting" in capsys.readouterr().err


def page_of(tmp_path: Path, *arguments: str) -> str:
    """Run the benchmarks as a program; return the page that they write."""
    page = tmp_path / "results.md"
    subprocess.run(
        [sys.executable, "run.py", *arguments, "--output", str(page)],
        cwd=BENCHMARKS,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return page.read_text()


def test_the_page_names_the_command_and_no_path_of_this_machine(tmp_path: Path) -> None:
    text = page_of(tmp_path, "--small", "--engines", "loop", "--only", "integers", "batch_cost")
    assert "python benchmarks/run.py --only integers batch_cost --engines loop --small" in text
    assert "10 M integers" in text
    assert str(BENCHMARKS.parent) not in text
    assert str(tmp_path) not in text


def test_the_page_says_why_a_job_failed_without_a_path_of_this_machine(tmp_path: Path) -> None:
    python = tmp_path / "peers" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -c ]; then echo "{}"; exit; fi\n'
        'echo "nothing to run $1 with in $0" >&2; exit 1\n'
    )
    python.chmod(0o755)
    text = page_of(
        tmp_path, "--engines", "ray", "--only", "integers", "--peers", str(tmp_path / "peers")
    )
    assert "| failed |" in text
    assert (
        "- `integers`: Ray Data failed: nothing to run benchmarks/jobs/integers_ray.py with in "
        "bin/python.\n"
    ) in text
