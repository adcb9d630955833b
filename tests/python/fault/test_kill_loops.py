"""A job ends with the right output however often its workers, or it itself, are killed.

PENSTOCK_KILL_LOOP_S, PENSTOCK_KILLS and PENSTOCK_STOPS make the loops as long as `make test-all`
wants them.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import penstock.ledger
from penstock.data.stopping import EXIT_RESUMABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOP_S = float(os.environ.get("PENSTOCK_KILL_LOOP_S", "3"))
KILLS = int(os.environ.get("PENSTOCK_KILLS", "3"))
STOPS = int(os.environ.get("PENSTOCK_STOPS", "4"))  # By SIGTERM and SIGINT.
KILL_EVERY_S = 0.2
ROWS_PER_BATCH = 50
BATCH_S = 0.01  # Of a worker's time.
WORKERS = 2

JOB = f"""
import os, pathlib, signal, sys, time
import penstock

signal.signal(signal.SIGINT, signal.default_int_handler)  # Whatever the shell had it ignore.

class Work:
    def __call__(self, batch):
        pathlib.Path(WORKING, str(os.getpid())).touch()
        end_s = time.thread_time() + {BATCH_S}
        while time.thread_time() < end_s:
            pass
        return {{"id": batch["id"], "double": batch["id"] * 2}}

WORKING = sys.argv[3]
context = penstock.data.DataContext.get_current()
context.rows_per_chunk = {20 * ROWS_PER_BATCH}
context.commit_interval_s = 0.05
penstock.data.read_parquet(sys.argv[1]).map_batches(
    Work, batch_size={ROWS_PER_BATCH}, concurrency={WORKERS}, max_task_retries=-1
).write_parquet(sys.argv[2])
"""


def rows_for(seconds: float) -> int:
    """Return how many rows keep the workers busy for about so long."""
    return int(seconds / BATCH_S) * WORKERS * ROWS_PER_BATCH


def make_input(folder: Path, rows: int) -> str:
    pq.write_table(pa.table({"id": np.arange(rows)}), folder / "in.parquet", row_group_size=5000)
    return str(folder / "in.parquet")


@contextlib.contextmanager
def started(source: str, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the job in a session of its own."""
    working = out.parent / "working"
    working.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, source, str(out), str(working)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ends_within(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def children_of(process: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        tasks = Path(f"/proc/{process}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def workers_of(working: Path) -> list[int]:
    """Return the processes that have begun to work, and live."""
    begun = sorted(int(entry.name) for entry in working.iterdir())
    return [process for process in begun if Path(f"/proc/{process}/stat").exists()]


def growth_of(driver: int) -> dict[str, int]:
    """Return what must not grow while a job runs."""
    status = Path(f"/proc/{driver}/status").read_text()
    return {
        "descriptors": sum(1 for _ in Path(f"/proc/{driver}/fd").iterdir()),
        "threads": int(status.split("Threads:")[1].split()[0]),
        "memory_mib": int(status.split("VmRSS:")[1].split()[0]) >> 10,
        "processes": len(children_of(driver)),
    }


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def check_output(out: Path, rows: int) -> None:
    found = pq.read_table(out)
    assert found["id"].to_pylist() == list(range(rows))
    assert found["double"].to_pylist() == list(range(0, 2 * rows, 2))
    assert not penstock.ledger.verify(out).problems


def test_workers_killed_all_the_time_cost_no_row_and_no_memory(
    tmp_path: Path, no_process_left: Callable[[int], bool]
) -> None:
    rows = rows_for(LOOP_S)
    samples = []
    choose = random.Random(17)
    with started(make_input(tmp_path, rows), tmp_path / "out") as driver:
        while not ends_within(driver, KILL_EVERY_S):
            workers = workers_of(tmp_path / "working")
            if not workers:
                continue
            samples.append(growth_of(driver.pid))
            with contextlib.suppress(ProcessLookupError):
                os.kill(choose.choice(workers), signal.SIGKILL)
        assert driver.returncode == 0
        assert no_process_left(driver.pid)
    check_output(tmp_path / "out", rows)
    third = len(samples) // 3
    assert third > 2, "workers were killed"
    for figure, room in [("descriptors", 8), ("threads", 2), ("memory_mib", 32), ("processes", 4)]:
        before = max(sample[figure] for sample in samples[:third])
        after = max(sample[figure] for sample in samples[-third:])
        assert after <= before + room, (figure, samples)


def test_a_job_killed_at_random_times_ends_as_one_that_nobody_disturbed(
    tmp_path: Path, no_process_left: Callable[[int], bool]
) -> None:
    rows = rows_for(1.5)
    source = make_input(tmp_path, rows)
    with started(source, tmp_path / "clean") as driver:
        assert driver.wait() == 0
    wanted = files_of(tmp_path / "clean")
    out = tmp_path / "out"
    kills = 0
    choose = random.Random(17)
    while kills < KILLS:
        with started(source, out) as driver:
            if not ends_within(driver, choose.uniform(0.2, 1.2)):
                driver.kill()
                driver.wait()
                kills += 1
                assert no_process_left(driver.pid)
                continue
            assert driver.returncode == 0
        assert files_of(out) == wanted
        check_output(out, rows)
        shutil.rmtree(out)
    with started(source, out) as driver:
        assert driver.wait() == 0
    assert files_of(out) == wanted
    check_output(out, rows)


def has_begun(out: Path) -> bool:
    log = out / "_penstock" / "log"
    return log.exists() and any(log.iterdir())


def test_a_job_asked_to_end_at_random_times_ends_as_one_that_nobody_disturbed(
    tmp_path: Path, no_process_left: Callable[[int], bool]
) -> None:
    rows = rows_for(1.5)
    source = make_input(tmp_path, rows)
    with started(source, tmp_path / "clean") as driver:
        assert driver.wait() == 0
    wanted = files_of(tmp_path / "clean")
    out = tmp_path / "out"
    codes = {signal.SIGTERM: EXIT_RESUMABLE, signal.SIGINT: -signal.SIGINT}
    stops = 0
    choose = random.Random(29)
    while stops < STOPS:
        with started(source, out) as driver:
            while not has_begun(out) and driver.poll() is None:
                os.sched_yield()
            if ends_within(driver, choose.uniform(0, 0.6)):
                assert driver.returncode == 0
            else:
                number = choose.choice(list(codes))
                driver.send_signal(number)
                code = driver.wait(60)
                stops += 1
                assert no_process_left(driver.pid)
                if not (out / "_SUCCESS").exists():
                    assert code == codes[number]
        if not (out / "_SUCCESS").exists():
            if has_begun(out):
                assert penstock.ledger.verify(out).problems == []
            continue
        assert files_of(out) == wanted
        check_output(out, rows)
        shutil.rmtree(out)
    with started(source, out) as driver:
        assert driver.wait() == 0
    assert files_of(out) == wanted
    check_output(out, rows)
