"""The one line that a job prints, so that the harness can see that all engines did the same."""

from __future__ import annotations

import json


def report(*, rows: int, checksum: float, **figures: float) -> None:
    """Print rows and checksum, and what else the job measured itself, as one line of JSON."""
    print(json.dumps({"rows": int(rows), "checksum": float(checksum), **figures}), flush=True)
