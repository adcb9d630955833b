"""Lets the tests import the example programs and the benchmark harness, which are no packages."""

from __future__ import annotations

import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[3]

for folder in ("examples", "benchmarks"):
    sys.path.insert(0, str(_REPOSITORY / folder))
