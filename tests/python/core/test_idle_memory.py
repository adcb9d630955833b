"""A runtime that waits holds little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

JOBS = Path(__file__).parents[3] / "benchmarks" / "jobs"
IDLE_MIB_MAX = 60


def test_an_idle_runtime_holds_60_mebibytes_at_most_beyond_its_program() -> None:
    done = subprocess.run(
        [sys.executable, JOBS / "idle_runtime_penstock.py", "7"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert found["checksum"] == 7
    assert 1 < found["mebibytes"] < IDLE_MIB_MAX
