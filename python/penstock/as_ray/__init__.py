"""Has `import ray` find Penstock, so that scripts written for Ray run as they are.

On the command line, arguments after the script's name are the script's own:

    python -m penstock.as_ray script.py --epochs 3
    python -m penstock.as_ray -m package.module

In a notebook, before anything imports ray:

    import penstock.as_ray
    penstock.as_ray.install()
"""

from __future__ import annotations

import os
import sys

from penstock.as_ray.finder import Finder, refuse_real_ray

__all__ = ["ENVIRONMENT_VARIABLE", "install", "is_installed", "uninstall"]

# Where it is set, workers begin with `install`.
ENVIRONMENT_VARIABLE = "PENSTOCK_AS_RAY"


def install() -> None:
    """Have `ray`, and each `ray.x.y`, be the module of Penstock of that name, here and in workers.

    Not a copy: `ray.data is penstock.data`. A module that Penstock lacks raises
    ModuleNotFoundError, which names it, even where the real ray is installed. May be repeated.

    Workers find it where this was called before any work began. Other processes, such as those that
    `multiprocessing` spawns, have to call it themselves.

    Raises:
        RuntimeError: the real ray is imported already.

    """
    if is_installed():
        return
    refuse_real_ray()
    sys.meta_path.insert(0, Finder())
    os.environ[ENVIRONMENT_VARIABLE] = "1"


def is_installed() -> bool:
    """Return whether `import ray` finds Penstock in this process."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def uninstall() -> None:
    """Take back what `install` has done, here and for workers that start later. May be repeated."""
    for finder in list(sys.meta_path):
        if isinstance(finder, Finder):
            sys.meta_path.remove(finder)
            finder.forget()
    os.environ.pop(ENVIRONMENT_VARIABLE, None)
