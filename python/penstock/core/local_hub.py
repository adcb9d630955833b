"""The hub of this program: started on the first use, it ends with the program."""

from __future__ import annotations

import json
import secrets
import tempfile
import threading
from typing import TYPE_CHECKING

from penstock import session
from penstock._core import Hub, WorkerLines
from penstock.worker_output import show

if TYPE_CHECKING:
    from typing import Any

_LINES_EVERY_S = 0.05
_JOB = "01000000"


class LocalHub:
    """A hub within the limits of `penstock.init`, and the thread that shows what workers print."""

    def __init__(self) -> None:
        from penstock.worker.command import worker_command

        session.ensure()
        limits = session.resources()
        command = worker_command()
        self._lines = WorkerLines()
        self._closing = threading.Event()
        self._hub = Hub(
            processors=float(limits.processors),
            gpus=limits.gpus,
            store_bytes=limits.memory_bytes,
            resources=list(limits.others),
            spill_folder=tempfile.gettempdir(),
            facts=json.dumps(_facts()),
            worker_arguments=command.arguments,
            template_arguments=command.template_arguments,
            worker_environment=command.environment,
            worker_lines=self._lines,
        )
        self._shows_lines = session.options().log_to_driver
        self._thread = threading.Thread(target=self._show, name="penstock-lines", daemon=True)
        self._thread.start()

    def connect(self) -> int:
        """Return the descriptor of a socket to the hub."""
        return self._hub.connect()

    def close(self) -> None:
        """End all workers and wait for them."""
        self._hub.close()
        self._closing.set()
        self._thread.join()

    def _show(self) -> None:
        while not self._closing.wait(_LINES_EVERY_S):
            self._show_lines()
        self._show_lines()

    def _show_lines(self) -> None:
        if self._shows_lines:
            show(self._lines)
        else:
            self._lines.take()


def _facts() -> dict[str, Any]:
    return {
        "session": secrets.token_hex(14),
        "node_id": secrets.token_hex(28),
        "job_id": _JOB,
        "namespace": session.options().namespace or secrets.token_hex(16),
        "runtime_env": session.options().runtime_env,
    }
