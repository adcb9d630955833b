"""Tasks and actors end with the program, however it ends, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 10
SCRIPT = """
import os, signal, sys
import numpy as np
import penstock

@penstock.remote
class Actor:
    def process(self):
        return os.getpid()

@penstock.remote
def wait(path):
    open(path).read()

actors = [Actor.remote() for _ in range(2)]
processes = penstock.get([actor.process.remote() for actor in actors])
kept = penstock.put(np.zeros(10_000_000))
waiting = wait.remote(sys.argv[1])
print(*processes, flush=True)
{then}
"""


@pytest.fixture
def start(tmp_path: Path):
    """Start the script in a session of its own, at a gate that nobody opens."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    started = []

    def begin(then: str) -> tuple[subprocess.Popen[str], list[int]]:
        script = tmp_path / "script.py"
        script.write_text(SCRIPT.format(then=then))
        program = subprocess.Popen(
            [sys.executable, str(script), str(gate)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        started.append(program)
        assert program.stdout is not None
        return program, [int(number) for number in program.stdout.readline().split()]

    yield begin
    for program in started:
        program.kill()
        program.communicate()


def is_gone(process: int) -> bool:
    """Say whether a process has ended; one that nobody has reaped counts as ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def all_gone(processes: list[int], deadline_s: float) -> bool:
    end_s = time.monotonic() + deadline_s
    while not all(map(is_gone, processes)) and time.monotonic() < end_s:
        os.sched_yield()
    return all(map(is_gone, processes))


@pytest.mark.parametrize(
    "then",
    [
        "",
        "penstock.shutdown()",
        "sys.exit(3)",
        "raise ValueError",
        "os._exit(0)",
    ],
)
def test_no_process_outlives_a_program_that_ends(start, then: str) -> None:
    program, processes = start(then)
    assert len(processes) == 2
    program.wait(60)
    assert all_gone(processes, 2)


def test_no_process_outlives_a_killed_program(start) -> None:
    program, processes = start("signal.pause()")
    program.kill()
    assert all_gone(processes, 2)


def test_ctrl_c_ends_a_get_that_waits(start) -> None:
    program, processes = start("penstock.get(waiting)")
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert all_gone(processes, 2)


def test_a_program_that_runs_has_no_file_in_shared_memory(start) -> None:
    before = set(Path("/dev/shm").iterdir())
    start("signal.pause()")
    assert set(Path("/dev/shm").iterdir()) <= before


SPILLING = """
import json, os, signal, sys
import numpy as np
import penstock
from penstock.core.connection import client

penstock.init(num_cpus=2, object_store_memory=16 << 20)

@penstock.remote
class Actor:
    def made(self, value):
        return np.full(1 << 20, value)

@penstock.remote
def wait(path):
    with open(path) as end:
        end.read()

def starts_one(batch):
    penstock.get(wait.remote(sys.argv[1]))
    return batch

actors = [Actor.remote() for _ in range(2)]
kept = [actors[number % 2].made.remote(number) for number in range(8)]
penstock.wait(kept, num_returns=len(kept))
own = [penstock.put(np.zeros(1 << 20)) for _ in range(4)]
waiting = [wait.remote(sys.argv[1]) for _ in range(3)]
while json.loads(client().ask("counts"))["spilled_bytes"] < 32 << 20:
    pass
print("ready", flush=True)
penstock.data.range(4).map_batches(starts_one, batch_size=1).take_all()
"""


def test_a_killed_program_leaves_no_process_no_shared_memory_and_nothing_spilled(
    tmp_path: Path,
) -> None:
    """Every process that it started has its mark in the environment, and so is found."""
    for name in ("spilled", "work"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "gate")
    before = set(Path("/dev/shm").iterdir())
    mark = f"PENSTOCK_TEST_MARK={tmp_path}"
    with subprocess.Popen(
        [sys.executable, "-c", SPILLING, str(tmp_path / "gate")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path / "work",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "TMPDIR": str(tmp_path / "spilled"),
            "PENSTOCK_TEST_MARK": str(tmp_path),
        },
    ) as program:
        assert program.stdout is not None
        try:
            assert program.stdout.readline() == "ready\n"
            assert comes_true(lambda: len(processes_with(mark)) >= 5)  # Itself, actors, tasks.
            assert any(map(has_spilled_into(tmp_path / "spilled"), processes_with(mark)))
        finally:
            program.kill()
    assert comes_true(lambda: not processes_with(mark)), processes_with(mark)
    assert set(Path("/dev/shm").iterdir()) <= before
    assert list((tmp_path / "spilled").iterdir()) == []
    assert list((tmp_path / "work").iterdir()) == []


def processes_with(mark: str) -> list[int]:
    """Return the processes that have this in their environment; zombies have none."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # It has gone meanwhile.
        if mark.encode() in environment.split(b"\0"):
            found.append(int(entry.name))
    return found


def has_spilled_into(folder: Path) -> Callable[[int], bool]:
    """Tell whether a process has a file without a name open there, with something in it."""

    def has(process: int) -> bool:
        for entry in Path(f"/proc/{process}/fd").iterdir():
            try:
                if entry.readlink().is_relative_to(folder) and entry.stat().st_size > 0:
                    return True
            except OSError:
                continue
        return False

    return has


def comes_true(condition: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < end_s:
        os.sched_yield()
    return condition()
