"""Ends processes that a user's function has forked and that came back from it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def end_child(parent: int, error: BaseException | None = None) -> None:
    """End this process if it is not `parent`, which the user's code was called in."""
    if os.getpid() != parent:
        end(error)


def end(error: BaseException | None = None) -> NoReturn:
    """End this process, as its function ended: its parent answers for both."""
    if error is None:
        os._exit(0)
    if not isinstance(error, SystemExit):
        sys.excepthook(type(error), error, error.__traceback__)
    code = error.code if isinstance(error, SystemExit) else 1
    os._exit(code if isinstance(code, int) else int(code is not None))
