"""Says how a worker process is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])


def worker_command() -> tuple[list[str], list[str]]:
    """Return the arguments and the whole environment ("NAME=value") of a worker process.

    The engine adds the number of threads that numeric libraries may start in it, its share of the
    machine, unless the user has set one. Variables that are not UTF-8 stay behind.
    """
    environment = dict(os.environ)
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    if _PACKAGE_FOLDER not in known:
        environment["PYTHONPATH"] = os.pathsep.join([_PACKAGE_FOLDER, *filter(None, known)])
    # -P: a file beside the script must not shadow a module that the worker itself needs.
    arguments = [sys.executable, "-P", "-m", "penstock.worker", str(os.getpid())]
    entries = (f"{name}={value}" for name, value in environment.items())
    return arguments, [entry for entry in entries if _is_utf8(entry)]


def _is_utf8(entry: str) -> bool:
    return os.fsencode(entry) == entry.encode(errors="replace")
