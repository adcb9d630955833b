from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def no_process_left() -> Callable[[int], bool]:
    """Say whether the session of a script, its workers' groups included, is empty in time."""

    def check(session: int, deadline_s: float = 10) -> bool:
        end_s = time.monotonic() + deadline_s
        while members(session) and time.monotonic() < end_s:
            os.sched_yield()
        return not members(session)

    return check


@pytest.fixture
def memory_group() -> Iterator[Callable[[int], Path]]:
    """Make a control group with a limit in bytes; who writes 0 to its `tasks` is in it."""
    folder = Path(f"/sys/fs/cgroup/memory/penstock-test-{os.getpid()}")

    def make(limit_bytes: int) -> Path:
        try:
            folder.mkdir()
            (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
        except OSError:
            pytest.skip("no control group of version 1 can be made here")
        return folder

    yield make
    if folder.exists():
        folder.rmdir()


def members(session):
    """Process ids of a session that are not zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # It has gone meanwhile.
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found
