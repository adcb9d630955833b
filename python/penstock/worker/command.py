"""Says how a worker process is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])

# OpenBLAS's threads look for work without sleeping, after each task and when NumPy is imported, and
# so take processors from the engine: 2 ** 26 cycles unless told otherwise, some 25 ms. This many
# are a fraction of a millisecond.
_BLAS_SPIN = ("OPENBLAS_THREAD_TIMEOUT", "20")


class WorkerCommand(NamedTuple):
    """How worker processes are started, and a template that forks them; "NAME=value" each."""

    arguments: list[str]
    template_arguments: list[str]
    environment: list[str]


def worker_command() -> WorkerCommand:
    """Return how a worker process is started.

    The environment is whole, as "NAME=value". The engine adds the number of threads that numeric
    libraries may start in it, its share of the machine, unless the user has set one. Idle threads
    of OpenBLAS sleep soon, unless the user has said when. Variables that are not UTF-8 stay behind.
    """
    environment = dict(os.environ)
    environment.setdefault(*_BLAS_SPIN)
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    if _PACKAGE_FOLDER not in known:
        environment["PYTHONPATH"] = os.pathsep.join([_PACKAGE_FOLDER, *filter(None, known)])
    # -P: a file beside the script must not shadow a module that the worker itself needs.
    arguments = [sys.executable, "-P", "-m", "penstock.worker", str(os.getpid())]
    entries = (f"{name}={value}" for name, value in environment.items())
    template = [*arguments, "--template"]
    return WorkerCommand(arguments, template, [entry for entry in entries if _is_utf8(entry)])


def _is_utf8(entry: str) -> bool:
    return os.fsencode(entry) == entry.encode(errors="replace")
