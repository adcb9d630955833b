"""A job's process tree: who is in it, how much memory it holds, and its end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")
_SET_CHILD_SUBREAPER = 36  # From <linux/prctl.h>.
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends.

    Daemons that a job starts stay in sight this way, also when they leave its session.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def descendants() -> list[int]:
    """Return the ids of all processes below this one, parents before their children."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(*_GONE):
                after_name = (entry / "stat").read_text().rpartition(")")[2]
                children[int(after_name.split()[1])].append(int(entry.name))
    found = list(children[os.getpid()])
    for process in found:  # Grows while it is walked.
        found.extend(children[process])
    return found


def stop_descendants() -> int:
    """Kill every process below this one, wait for their ends and return how many there were."""
    count = 0
    while running := descendants():
        count += len(running)
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for process in running:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)
    return count


def shared_memory_bytes() -> int:
    """Return the machine's shared memory in use: tmpfs files, memfd and shared mappings."""
    return _kib_fields(_PROC / "meminfo")["Shmem"] * 1024


def tree_memory_bytes(*, shared_before: int) -> int:
    """Return the memory held by all processes below this one.

    Private memory is the sum of the processes' proportional set sizes, so that pages shared
    by forked processes count once. Shared memory is what is mapped or, when that is more, what
    the machine's grew by since `shared_before`: it counts without being mapped, too.
    """
    private, mapped = 0, 0
    for process in descendants():
        with contextlib.suppress(*_GONE):
            fields = _kib_fields(_PROC / str(process) / "smaps_rollup")
            private += fields.get("Pss_Anon", 0) + fields.get("Pss_File", 0)
            mapped += fields.get("Pss_Shmem", 0)
    return private * 1024 + max(mapped * 1024, shared_memory_bytes() - shared_before)


def _kib_fields(file: Path) -> dict[str, int]:
    fields: dict[str, int] = {}
    for line in file.read_text().splitlines():
        name, colon, rest = line.partition(":")
        if colon and rest.endswith(" kB"):
            fields[name] = int(rest.split()[0])
    return fields
