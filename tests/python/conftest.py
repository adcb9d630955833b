"""What the tests of the Python side share."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

if os.environ.get("PENSTOCK_NO_SKIPS"):
    # A library that a test needs is installed here, or the test fails.
    pytest.importorskip = functools.partial(pytest.importorskip, exc_type=())


@pytest.fixture(autouse=True, scope="module")
def _no_runtime_outlives_its_module() -> Iterator[None]:
    """Have tasks and actors of one module's tests mean nothing to the next one's."""
    yield
    if "penstock.core.connection" in sys.modules:
        sys.modules["penstock"].shutdown()


@pytest.fixture
def start_script(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a Python script in a process of its own, with this process's import path."""

    def start(text: str) -> subprocess.Popen[str]:
        script = tmp_path / "script.py"
        script.write_text(text)
        return subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    return start


@pytest.fixture
def run_script(
    start_script: Callable[[str], subprocess.Popen[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a Python script to its end, 60 seconds at most, and return what it printed."""

    def run(text: str) -> subprocess.CompletedProcess[str]:
        with start_script(text) as process:
            try:
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
        return subprocess.CompletedProcess(text, process.returncode, out, err)

    return run
