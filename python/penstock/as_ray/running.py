"""Runs a program as `__main__`, as if python had been started with it."""

from __future__ import annotations

import builtins
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from penstock.as_ray.program import Program

_PACKAGE_FOLDER = os.path.dirname(__file__) + os.sep  # noqa: PTH120  # pathlib would be an import for it.


def run(program: Program) -> None:
    """Run the program; what it raises leaves it as from a program of its own.

    Its traceback has none of the frames that are below the program. `sys.excepthook`, which the
    program may have set, is called here, and python's own end with its exit code follows.
    """
    main = ModuleType("__main__")
    main.__dict__.update(
        __builtins__=builtins,
        __cached__=None if program.spec is None else program.spec.cached,
        __file__=program.file,
        __loader__=program.loader,
        __package__=program.package,
        __spec__=program.spec,
    )
    sys.modules["__main__"] = main
    try:
        exec(program.code(), main.__dict__)  # noqa: S102  # It is what the user asked for.
    except SystemExit:
        raise
    except BaseException as error:
        _show(error)
        raise


def _show(error: BaseException) -> None:
    """Call the excepthook with a traceback that begins in the program, and silence later calls."""
    trace = _from_program(error.__traceback__)
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    sys.excepthook = _say_nothing


def _from_program(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _is_below(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_below(filename: str) -> bool:
    return filename.startswith((_PACKAGE_FOLDER, "<frozen importlib", "<frozen zipimport"))


def _say_nothing(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Take the place of an excepthook that was called already."""
