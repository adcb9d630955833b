"""What clean up after objects when their process ends."""

from __future__ import annotations

import weakref


def drop_at_exit() -> None:
    """Have the objects that are there now not be cleaned up after when the process ends.

    A process that is forked from has them too, in each fork, and each fork would clean up once
    more: take away files that the others still use, and write to most pages of a library that takes
    its registry apart, as torch does (30 MiB and 80 ms a worker). `multiprocessing.util.Finalize`
    does nothing in forks either. What a fork makes itself is cleaned up as ever.
    """
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]  # noqa: SLF001
        finalizer.atexit = False
