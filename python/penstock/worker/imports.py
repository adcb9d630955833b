"""What a worker imports, told to the template that will fork its like."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from penstock import _worker
from penstock.worker.descriptors import is_pipe, out_of_reach

if TYPE_CHECKING:
    from collections.abc import Iterator


def teach() -> Lesson | None:
    """Tell of each import from here on, if the engine has given this worker a pipe for that."""
    if not is_pipe(_worker.MODULES_PIPE):
        return None
    lesson = Lesson(out_of_reach(_worker.MODULES_PIPE))
    sys.addaudithook(lesson.hear)
    return lesson


class Lesson:
    """Writes the names of modules, one a line, as they are imported, and where they are sought."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._told = set(sys.modules)
        self._path = list(sys.path)
        self._over = False

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """Tell of an import; the interpreter calls it for every event that it audits."""
        if event != "import" or self._over:
            return
        name = arguments[0]
        if not isinstance(name, str) or name in self._told:
            return
        self._told.add(name)
        line = name
        if sys.path != self._path:
            self._path = list(sys.path)
            line = _PATH_MARK + json.dumps(self._path) + "\n" + name
        try:
            os.write(self._pipe, line.encode(errors="replace") + b"\n")
        except OSError:  # Full, or nobody listens: what is not taught is imported after the fork.
            self._over = True

    def end(self) -> None:
        """Let the template know that no more will come."""
        self._over = True
        os.close(self._pipe)


def learn(pipe: int) -> None:
    """Import what comes through `pipe`, until its end or until nothing new has come for a while.

    So the constructor of the first worker holds up no others while it loads, computes or waits:
    what it imports after that they import themselves. What cannot be imported is left out. An
    import that takes a minute ends this process, and the other workers are spawned.
    """
    import time

    began_s = time.monotonic()
    for line in _lines(pipe, began_s):
        _follow(line)
        if time.monotonic() - began_s > _LESSON_MAX_S:
            break
    os.close(pipe)


def _lines(pipe: int, began_s: float) -> Iterator[str]:
    """Yield what comes, until no more does, or not soon."""
    import select
    import time

    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    patience_s: float = _LESSON_MAX_S  # Until the first worker has begun.
    rest = b""
    while poller.poll(int(1000 * patience_s)) and (heard := os.read(pipe, 1 << 16)):
        *lines, rest = (rest + heard).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
        patience_s = max(_QUIET_MIN_S, (time.monotonic() - began_s) * _QUIET_SHARE)


def _follow(line: str) -> None:
    """Do what a line of a lesson says."""
    if line.startswith(_PATH_MARK):
        sys.path[:] = json.loads(line[len(_PATH_MARK) :])
        return
    if line in sys.modules:
        return
    signal.alarm(_LESSON_MAX_S)  # Which kills, whatever the import is at.
    try:
        importlib.import_module(line)
    except BaseException:  # noqa: BLE001  # The workers will see it for themselves.
        return
    finally:
        signal.alarm(0)


_PATH_MARK = "="  # No module's name begins so.

# Without an import of the first worker for so long no more are waited for: a share of what it has
# taken so far, as between two imports more passes where the machine is slow or the modules large.
_QUIET_MIN_S = 0.5
_QUIET_SHARE = 0.25
_LESSON_MAX_S = 60
