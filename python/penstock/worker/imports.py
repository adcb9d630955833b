"""What a worker imports, told to the template that will fork its like."""

from __future__ import annotations

import importlib
import json
import os
import sys

from penstock import _worker
from penstock.worker.descriptors import is_pipe


def teach() -> Lesson | None:
    """Tell of each import from here on, if the engine has given this worker a pipe for that."""
    if not is_pipe(_worker.MODULES_PIPE):
        return None
    os.set_inheritable(_worker.MODULES_PIPE, False)
    lesson = Lesson()
    sys.addaudithook(lesson.hear)
    return lesson


class Lesson:
    """Writes the names of modules, one a line, as they are imported, and where they are sought."""

    def __init__(self) -> None:
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
            os.write(_worker.MODULES_PIPE, line.encode(errors="replace") + b"\n")
        except OSError:  # Full, or nobody listens: what is not taught is imported after the fork.
            self._over = True

    def end(self) -> None:
        """Let the template know that no more will come."""
        self._over = True
        os.close(_worker.MODULES_PIPE)


def learn(pipe: int) -> None:
    """Import what comes through `pipe` until its end; what cannot be imported is left out."""
    with open(pipe, encoding="utf-8", errors="replace") as names:
        for line in names:
            name = line.rstrip("\n")
            if name.startswith(_PATH_MARK):
                sys.path[:] = json.loads(name[len(_PATH_MARK) :])
            if name.startswith(_PATH_MARK) or name in sys.modules:
                continue
            try:
                importlib.import_module(name)
            except BaseException:  # noqa: BLE001, S112  # The workers will see it for themselves.
                continue


_PATH_MARK = "="  # No module's name begins so.
