"""A driver that has been forked: its children hold copies of the engine's descriptors."""

from __future__ import annotations


def test_a_workers_child_that_outlives_it_harms_no_forked_driver(run_script):
    done = run_script("""
import contextlib
import os
import signal
import subprocess

import penstock

CHILDREN = []


class Leaves:
    def __init__(self):
        self.child = None

    def __call__(self, batch):
        if self.child is None:
            self.child = subprocess.Popen(["sleep", "1000"], start_new_session=True).pid
        return {"id": batch["id"], "child": [self.child] * len(batch["id"])}


ds = penstock.data.range(60).map_batches(
    Leaves, batch_size=1, concurrency=2, max_batches_per_worker=3
)
forks, children, rows = [], set(), []
for row in ds.iter_rows():
    if row["id"] in (2, 20, 40):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        forks.append(pid)
    if row["child"] not in children:
        children.add(row["child"])
        if len(children) > 4:  # The workers of the first are gone by now.
            for child in list(children)[:2]:
                with contextlib.suppress(ProcessLookupError):  # Killed before.
                    os.kill(child, signal.SIGKILL)
    rows.append(row["id"])
for pid in [*forks, *children]:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
print(rows == list(range(60)))
""")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"
