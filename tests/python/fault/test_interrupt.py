from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from penstock import ledger

HEAD = """
import os, sys, threading
import penstock

def note():
    os.write(1, b"ready\\n")  # At once, whole, whoever else writes.

"""

PHASES = {
    "workers start": """
class Slow:
    def __init__(self):
        note()
        threading.Event().wait()
    def __call__(self, batch):
        return batch
penstock.data.range(10).map_batches(Slow, concurrency=2).take_all()
""",
    "a function runs": """
def spin(batch):
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note()
    while True:
        pass
penstock.data.range(10).map_batches(spin).take_all()
""",
    "a function waits for a process": """
def wait(batch):
    import subprocess
    with subprocess.Popen(["sleep", "600"]):
        note()
penstock.data.range(10).map_batches(wait).take_all()
""",
    "rows are read": """
threading.Timer(0.1, note).start()
penstock.data.range(10**18).filter(expr="id < 0").take_all()
""",
    "files are written": """
def pass_on(batch):
    note()
    return batch
penstock.data.range(10**15).map_batches(pass_on, batch_size=100_000).write_parquet(sys.argv[1])
""",
    "the caller works": """
for batch in penstock.data.range(10**12).map_batches(lambda batch: batch).iter_batches():
    note()
    threading.Event().wait()
""",
}


def run(phase, folder, interrupt):
    """Run the script of a phase; interrupt it when it is there; return it and its errors."""
    with subprocess.Popen(
        [sys.executable, "-c", HEAD + PHASES[phase], str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout.readline().endswith("ready\n")
            interrupt(process.pid)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    return process, errors


@pytest.mark.parametrize("to", ["the script", "its group"])
@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_ends_a_job_and_leaves_what_is_on_record_alone(phase, to, tmp_path, no_process_left):
    send = os.kill if to == "the script" else os.killpg
    folder = tmp_path / "out"
    process, errors = run(phase, folder, lambda pid: send(pid, signal.SIGINT))
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
    assert no_process_left(process.pid)
    assert not folder.exists() or ledger.verify(folder).problems == []


@pytest.mark.parametrize(
    "phase",
    ["workers start", "a function runs", "a function waits for a process", "files are written"],
)
def test_the_workers_of_a_killed_script_end_with_all_that_they_started(
    phase, tmp_path, no_process_left
):
    process, _ = run(phase, tmp_path / "out", lambda pid: os.kill(pid, signal.SIGKILL))
    assert process.returncode == -signal.SIGKILL
    assert no_process_left(process.pid)


def test_a_script_may_end_while_a_daemon_thread_runs_a_job(run_script):
    done = run_script(
        HEAD
        + """
started = threading.Event()
def job():
    ds = penstock.data.range(10**9).map_batches(lambda batch: batch, batch_size=10)
    for _ in ds.iter_batches(batch_size=10):
        started.set()
threading.Thread(target=job, daemon=True).start()
started.wait()
"""
    )
    assert "terminate called" not in done.stderr
    assert done.returncode == 0


def test_a_script_may_end_with_an_iterator_half_way(run_script):
    done = run_script(
        HEAD
        + """
rows = iter(penstock.data.range(10**9).map_batches(lambda batch: batch).iter_rows())
print(next(rows))
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("{'id': 0}\n", "", 0)


def test_a_signal_handler_may_end_a_script(run_script):
    done = run_script(
        HEAD
        + """
import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
def tell(batch):
    os.kill(os.getppid(), signal.SIGTERM)
    threading.Event().wait()
penstock.data.range(10).map_batches(tell).take_all()
"""
    )
    assert (done.stderr, done.returncode) == ("", 5)
