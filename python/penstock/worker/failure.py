"""How an exception travels from a worker to the driver."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_PACKAGE_FOLDER = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120
_CAUSE_LINE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT_LINE = "\nDuring handling of the above exception, another exception occurred:\n\n"
_CHAIN_MAX = 16


class BadReturnError(ValueError):
    """What a function returned cannot become columns."""


class Failure(NamedTuple):
    """An exception of a user's function, as the driver sees it."""

    exception: BaseException
    function: str
    row: int | None  # Within its batch; None where no single row is known.
    traceback: str  # The user's own frames, with the exceptions behind this one.
    is_bad_return: bool

    def text(self) -> str:
        """Return what the user is to see of it."""
        return str(self.exception) if self.is_bad_return else self.traceback

    def where(self) -> str:
        """Say which function failed, on which row."""
        if self.is_bad_return or not self.function:
            return ""
        place = "" if self.row is None else f" on row {self.row} of its batch"
        return f"The function {self.function} raised this{place}."


def pack(
    exception: BaseException,
    *,
    function: str,
    row: int | None = None,
    input_row: int | None = None,
) -> bytes:
    """Pack an exception with its traceback, less Penstock's own frames.

    `row`: of the batch that the function was called for, the row on which it raised; `input_row`:
    of the batch that came to the worker. Both where they are known.

    An exception that cannot be pickled travels as its class, arguments and (where they can be
    pickled) attributes, or else as its text.
    """
    import json

    facts = {
        "function": function,
        "row": row,
        "input_row": input_row,
        "type": type(exception).__qualname__,
        "classes": [f"{kind.__module__}.{kind.__qualname__}" for kind in type(exception).__mro__],
        "message": _message(exception),
        "bad_return": isinstance(exception, BadReturnError),
        "traceback": "".join(_format(link, joint) for link, joint in _chain(exception)),
    }
    header = json.dumps(facts).encode()  # Read by exec/row_failure.cc, too.
    return len(header).to_bytes(4, "little") + header + _pickled(exception)


def pack_with_flags(
    exception: BaseException,
    *,
    function: str,
    row: int | None = None,
    input_row: int | None = None,
) -> tuple[bytes, int]:
    """Pack an exception, and return it with the flags of the frame that carries it."""
    from penstock import _worker  # Only now: the driver unpacks without it.

    flags = _worker.BAD_RETURN if isinstance(exception, BadReturnError) else 0
    return pack(exception, function=function, row=row, input_row=input_row), flags


def unpack(packed: bytes) -> Failure | None:
    """Return what `pack` packed; None when the bytes are something else."""
    import json

    size = int.from_bytes(packed[:4], "little")
    try:
        facts = json.loads(packed[4 : 4 + size])
    except ValueError:
        return None
    exception = _unpickled(packed[4 + size :])
    if exception is None:
        exception = RuntimeError(f"{facts['type']}: {facts['message']}")
    if facts["bad_return"]:
        exception = ValueError(facts["message"])
    return Failure(
        exception, facts["function"], facts["row"], facts["traceback"], facts["bad_return"]
    )


def _pickled(exception: BaseException) -> bytes:
    import cloudpickle

    kind, args = type(exception), exception.args
    for form in (exception, (kind, args, vars(exception)), (kind, args, {})):
        try:
            data: bytes = cloudpickle.dumps(form)
        except Exception:  # noqa: BLE001, S112  # Whatever the user's class raises.
            continue
        if _unpickled(data) is not None:  # Some exceptions pickle, but cannot be built again.
            return data
    return b""


def _unpickled(data: bytes) -> BaseException | None:
    if not data:
        return None
    try:
        exception = pickle.loads(data)
        if isinstance(exception, tuple):
            kind, args, attributes = exception
            exception = BaseException.__new__(kind, *args)  # Its __init__ wants other arguments.
            vars(exception).update(attributes)
    except Exception:  # noqa: BLE001  # Whatever the user's class raises.
        return None
    return exception if isinstance(exception, BaseException) else None


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception:  # noqa: BLE001  # Whatever the user's __str__ raises.
        return "<its message cannot be shown>"


def _chain(exception: BaseException) -> Iterable[tuple[BaseException, str]]:
    """Return the exceptions behind this one, oldest first, and what joins each to the next."""
    links: list[tuple[BaseException, str]] = []
    current: BaseException | None = exception
    joint = ""
    while current is not None and len(links) < _CHAIN_MAX:
        links.append((current, joint))
        if current.__cause__ is not None:
            joint, current = _CAUSE_LINE, current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            joint, current = _CONTEXT_LINE, current.__context__
        else:
            break
    return reversed(links)


def _format(exception: BaseException, joint: str) -> str:
    import traceback  # Only now: workers that do not fail start faster without it.

    frames = [  # Without the columns: their markers would double the lines.
        traceback.FrameSummary(frame.filename, frame.lineno, frame.name, line=frame.line or None)
        for frame in traceback.extract_tb(exception.__traceback__)
        if not frame.filename.startswith(_PACKAGE_FOLDER)
    ]
    head = "Traceback (most recent call last):\n" if frames else ""
    last = "".join(traceback.format_exception_only(type(exception), exception))
    return f"{head}{''.join(traceback.format_list(frames))}{last}{joint}"
