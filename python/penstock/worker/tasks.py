"""The life of a worker that runs tasks, or is an actor."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from penstock import _worker
from penstock.core import connection
from penstock.worker import current, task_interrupts
from penstock.worker.task_calls import Calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.worker.task_actors import Actor

_MAGIC_BYTES = 8
_FUNCTION, _CONSTRUCTOR = 0, 1


def serve(channel: _worker.Channel, setup: bytes, is_ready: Callable[[], None]) -> None:
    """Run what the hub sends until it wants no more, or is gone.

    `setup`: 8 bytes that say so, the worker's number in 8 bytes, and JSON; `is_ready` is called
    before the first task.
    """
    start = _MAGIC_BYTES + 8
    worker = int.from_bytes(setup[_MAGIC_BYTES:start], "little")
    folder = json.loads(setup[start:] or b"{}").get("working_dir") or ""
    if folder:
        os.chdir(folder)
    reception = current.reception()
    if reception is None:
        raise RuntimeError("a worker of the hub has no way to reach it")
    client = _worker.connect(reception, worker)
    connection.adopt(client)
    task_interrupts.listen(client)
    channel.send_ready()
    is_ready()
    _serve(client, Calls(client, worker, folder))
    client.close()


def _serve(client: _worker.Client, calls: Calls) -> None:
    actor: Actor | None = None
    while actor is None:
        task = client.receive_task()
        if task is None:
            return
        if task.kind == _FUNCTION:
            calls.run_function(task)
        elif task.kind == _CONSTRUCTOR:
            actor = calls.construct(task)
        else:
            raise RuntimeError("the hub sent a call of an actor that is not here")
        del task  # What is kept here stays mapped while nothing comes.
    actor.serve()
