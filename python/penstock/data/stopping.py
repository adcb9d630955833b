"""What becomes of a job that writes when its process is asked to end: it keeps what it has done."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Self

_WORD = (
    "penstock: stopping: what has begun is finished and committed, for at most {:g} s; "
    "the same signal again stops the job at once\n"
)
EXIT_RESUMABLE = 75  # EX_TEMPFAIL of sysexits.h: what was asked for can be asked for again.


class SoftStop:
    """While entered, SIGINT and SIGTERM ask the job to end with what it has begun.

    Then, or after `deadline_s` seconds, the process goes on as the signal demands: with
    KeyboardInterrupt after SIGINT, with SystemExit(`EXIT_RESUMABLE`) after SIGTERM, as running the
    same job again goes on with it. A second signal stops the job at once.

    Signals that the program answers itself, and all of them outside of the main thread, are left
    alone.
    """

    def __init__(self, *, ask: Callable[[], None], deadline_s: float) -> None:
        self._ask = ask
        self._deadline_s = deadline_s
        self._signal: int | None = None
        self._asked_s = 0.0
        self._before: dict[int, Any] = {}

    @property
    def is_asked(self) -> bool:
        """Whether the job was asked to end."""
        return self._signal is not None

    @property
    def is_late(self) -> bool:
        """Whether the job was asked to end, and has had its time."""
        return self._signal is not None and time.monotonic() - self._asked_s > self._deadline_s

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        ordinary = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        for number, handler in ordinary.items():
            if signal.getsignal(number) is handler:
                self._before[number] = signal.signal(number, self._answer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._signal is not None and (kind is None or issubclass(kind, Exception)):
            raise _demanded(self._signal) from None

    def _answer(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is not None:
            raise _demanded(number)
        self._signal, self._asked_s = number, time.monotonic()
        # By the descriptor: the program may be in the middle of a write to sys.stderr.
        with contextlib.suppress(OSError):
            os.write(2, _WORD.format(self._deadline_s).encode())
        self._ask()


def _demanded(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(EXIT_RESUMABLE)
