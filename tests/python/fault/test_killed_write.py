from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import penstock
from penstock.exceptions import OutputTakenError

WRITE = """
import os, sys, threading
import penstock

folder, mode = sys.argv[1], sys.argv[2] or None
hidden = folder if mode else os.path.join(folder, "_penstock", "pending")

def note(batch):
    if batch["id"][0] >= 300:
        while not any(name.endswith(".tmp") for name in os.listdir(hidden)):
            os.sched_yield()
        os.write(1, b"ready\\n")
        threading.Event().wait()
    return batch

ds = penstock.data.range(400, override_num_blocks=4)
ds.map_batches(note, batch_size=100, concurrency=1).write_json(folder, mode=mode)
"""


@pytest.fixture
def start_write():
    """Start a process that writes into a folder and stops half way; yield it; kill it."""
    started = []

    def start(folder, mode):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(folder), mode],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout.readline().endswith("ready\n")
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_write_leaves_is_hidden_and_goes_with_the_next(start_write, tmp_path):
    process = start_write(tmp_path, "append")
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = names(tmp_path)
    assert any(name.endswith(".tmp") for name in left)
    assert all(name.startswith(".") for name in left)
    with pytest.raises((ValueError, OSError)):
        penstock.data.read_json(tmp_path).count()
    penstock.data.range(10).write_json(tmp_path, mode="append")
    assert not any(name.startswith(".") for name in names(tmp_path))
    assert penstock.data.read_json(tmp_path).count() == 10


def test_a_write_leaves_the_files_of_one_that_lives_alone(start_write, tmp_path):
    start_write(tmp_path, "append")
    living = names(tmp_path)
    penstock.data.range(10).write_json(tmp_path, mode="append")
    assert set(living) <= set(names(tmp_path))


def test_with_a_ledger_a_killed_write_shows_nothing_and_goes_with_the_next(start_write, tmp_path):
    process = start_write(tmp_path, "")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert names(tmp_path) == ["_penstock"]
    penstock.data.range(10).write_json(tmp_path)
    assert not (tmp_path / "_penstock" / "pending").exists()
    assert penstock.data.read_json(tmp_path).count() == 10


def test_with_a_ledger_a_write_that_lives_keeps_others_out(start_write, tmp_path):
    process = start_write(tmp_path, "")
    with pytest.raises(OutputTakenError, match=f"process {process.pid} on"):
        penstock.data.range(10).write_json(tmp_path)
    assert process.poll() is None
