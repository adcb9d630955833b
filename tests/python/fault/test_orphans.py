"""When the main process is killed, its workers end at once, whatever they are at."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

import pytest

END_WITHIN_S = 2.0

HEAD = """
import ctypes, json, os, signal, sys
sys.path.insert(0, {tests!r})
from pools import over_rows

def tell():
    os.write(1, b"worker %d\\n" % os.getpid())

"""

# What each worker does once it has told its process id; `forked` and threads come by the options.
ACTS = {
    "waits": "signal.pause()",
    "is stuck in C with the GIL": "ctypes.PyDLL(None).pause()",
    "ignores and blocks all signals": """
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).pause()
""",
}

POOLS = {
    "spawned": (2, "workers=2", 2),
    "forked": (8, "workers=4", 4),
    "threads": (8, "workers=4, threads=True", 1),
    "with a shared model": (8, "workers=4, shares_model=True", 4),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("act", ACTS)
def test_no_worker_outlives_a_killed_main_process_for_long(start_script, act, pool):
    rows, options, processes = POOLS[pool]
    tests = str(Path(__file__).parents[1] / "worker")
    script = f"""{HEAD.format(tests=tests)}
def act(batch):
    tell()
    {ACTS[act].strip()}

over_rows({rows}, act, in_flight_per_worker=1, {options}).take_all()
"""
    with start_script(script) as main:
        workers = set()
        while len(workers) < processes:
            workers.add(int(main.stdout.readline().split()[-1]))
        watched = [os.pidfd_open(worker) for worker in workers]
        main.kill()
        end_s = time.monotonic() + END_WITHIN_S
        alive = set(watched)
        while alive and time.monotonic() < end_s:
            alive -= set(select.select(list(alive), [], [], end_s - time.monotonic())[0])
        for descriptor in watched:
            os.close(descriptor)
        assert not alive
