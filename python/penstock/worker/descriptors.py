"""Keeps the descriptors that a worker lives by."""

from __future__ import annotations

import fcntl
import os

_OUT_OF_REACH = 500


def out_of_reach(descriptor: int) -> int:
    """Move a descriptor to a number that a function which closes all it finds will not reach."""
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_REACH)
    except OSError:  # This process may not have so many.
        os.set_inheritable(descriptor, False)
        return descriptor
    os.close(descriptor)
    return moved
