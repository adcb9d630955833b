"""A test whose library is missing is skipped by hand, and fails in `make test`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("no_skips", "outcome"), [("", "1 skipped"), ("1", "No module named 'no_such_library'")]
)
def test_a_missing_library_skips_a_test_or_fails_it_where_none_may_be_missing(
    no_skips, outcome, tmp_path
):
    test = tmp_path / "test_it.py"
    test.write_text("def test_it():\n    __import__('pytest').importorskip('no_such_library')\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.python.conftest", "-q", str(test)],
        cwd=tmp_path,
        env={**os.environ, "PENSTOCK_NO_SKIPS": no_skips, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout
    assert run.returncode == bool(no_skips)
