"""Tasks and actors end with the program, however it ends, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


def test_a_program_that_ends_leaves_no_file_in_shared_memory(start) -> None:
    before = set(Path("/dev/shm").iterdir())
    program, _ = start("signal.pause()")
    assert set(Path("/dev/shm").iterdir()) <= before
    program.kill()
