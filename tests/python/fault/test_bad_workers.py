"""What functions do to the process that they run in, beside ending it."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

import penstock


def test_a_function_may_close_every_descriptor_that_it_finds():
    def close(batch):
        os.closerange(0, 201)
        return batch

    ds = penstock.data.range(100).map_batches(close, batch_size=10, concurrency=1)
    assert ds.take_all() == penstock.data.range(100).take_all()


@pytest.mark.parametrize("workers", [1, 4])
def test_a_function_may_ignore_and_block_every_signal(workers):
    def ignore(batch):
        import signal as signals

        for number in signals.valid_signals():
            with contextlib.suppress(OSError, ValueError):
                signals.signal(number, signals.SIG_IGN)
        signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())
        return batch

    ds = penstock.data.range(100).map_batches(ignore, batch_size=5, concurrency=workers)
    assert ds.count() == 100


def test_a_function_may_hold_the_gil_in_c():
    def hold(batch):
        import ctypes

        ctypes.PyDLL(None).usleep(300_000)
        return batch

    ds = penstock.data.range(4).map_batches(hold, batch_size=1, concurrency=2)
    assert ds.count() == 4


def test_the_memory_of_the_job_stays_bounded_while_a_worker_prints_a_gigabyte(run_script):
    done = run_script(
        """
import os, resource
import penstock

def flood(batch):
    lines = b"a line of the flood\\n" * (1 << 16)
    for _ in range((1 << 30) // len(lines)):
        os.write(1, lines)
        os.write(2, b"x" * len(lines))
    return batch

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

penstock.data.range(1).map_batches(lambda batch: batch).count()
before = used()
count = penstock.data.range(1).map_batches(flood, concurrency=1).count()
print("grown by", used() - before, count)
"""
    )
    grown, count = done.stdout.splitlines()[-1].split()[2:]
    assert count == "1"
    assert int(grown) < 64


def test_children_that_a_function_leaves_behind_end_with_its_worker(tmp_path):
    left = tmp_path / "left"

    def leave_child(batch):
        if os.fork() == 0:
            signal.pause()
        return batch

    def leave_named(batch):
        child = os.fork()
        if child == 0:
            signal.pause()
        left.write_text(str(child))
        return batch

    assert penstock.data.range(4).map_batches(leave_child, batch_size=1).count() == 4
    assert penstock.data.range(1).map_batches(leave_named).count() == 1
    assert _ends(int(left.read_text()))


def test_a_daemon_that_a_function_leaves_behind_does_not_hold_the_job(tmp_path):
    left = tmp_path / "left"

    def leave_daemon(batch):
        if os.fork() == 0:
            os.setsid()
            daemon = os.fork()
            if daemon == 0:
                signal.pause()
            left.write_text(str(daemon))
            os._exit(0)
        os.wait()
        return batch

    assert penstock.data.range(1).map_batches(leave_daemon, concurrency=1).count() == 1
    daemon = int(left.read_text())
    os.kill(daemon, signal.SIGKILL)  # It lives.


def _ends(process: int) -> bool:
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    import select

    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)
