"""Says how a worker process is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])


def worker_command(*, cores: int = 1) -> tuple[list[str], list[str]]:
    """Return the arguments and the whole environment ("NAME=value") of a worker process.

    `cores` is the worker's share of the machine: the threads that numeric libraries start in it,
    unless the user has set their numbers.
    """
    environment = dict(os.environ)
    for name in _THREAD_COUNTS:
        environment.setdefault(name, str(cores))
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    if _PACKAGE_FOLDER not in known:
        environment["PYTHONPATH"] = os.pathsep.join([_PACKAGE_FOLDER, *filter(None, known)])
    # -P: a file beside the script must not shadow a module that the worker itself needs.
    arguments = [sys.executable, "-P", "-m", "penstock.worker", str(os.getpid())]
    return arguments, [f"{name}={value}" for name, value in environment.items()]
