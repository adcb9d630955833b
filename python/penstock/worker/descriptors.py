"""The descriptors that a worker lives by."""

from __future__ import annotations

import fcntl
import os
import stat

_OUT_OF_REACH = 500


def is_pipe(descriptor: int) -> bool:
    """Return whether this process has a descriptor of this number, and it is a pipe's."""
    return stat.S_ISFIFO(_mode(descriptor))


def is_socket(descriptor: int) -> bool:
    """Return whether this process has a descriptor of this number, and it is a socket's."""
    return stat.S_ISSOCK(_mode(descriptor))


def _mode(descriptor: int) -> int:
    try:
        return os.fstat(descriptor).st_mode
    except OSError:
        return 0


def out_of_reach(descriptor: int) -> int:
    """Move a descriptor to a number that a function which closes all it finds will not reach."""
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_REACH)
    except OSError:  # This process may not have so many.
        os.set_inheritable(descriptor, False)
        return descriptor
    os.close(descriptor)
    return moved
