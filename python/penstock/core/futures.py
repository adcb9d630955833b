"""Futures of references, for `await` and for `concurrent.futures`."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from penstock.core.connection import client
from penstock.core.references import number_of
from penstock.core.values import object_of

if TYPE_CHECKING:
    from penstock._worker import Client, Value
    from penstock.core.references import ObjectRef

_lock = threading.Lock()
_served: Client | None = None


def future_of(reference: ObjectRef[Any]) -> Future[Any]:
    """Return a future that gets the reference's value, or the error that came instead."""
    connected = client()
    _serve(connected)
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()

    def settle(value: Value, _keep: ObjectRef[Any] = reference) -> None:
        try:
            result = object_of(value)
        except BaseException as error:  # noqa: BLE001  # Whatever the task has raised.
            future.set_exception(error)
        else:
            future.set_result(result)

    connected.when_ready(number_of(reference), settle)
    return future


def _serve(connected: Client) -> None:
    """See to it that a thread takes what the hub answers while no other waits for it."""
    global _served  # noqa: PLW0603  # One thread a connection.
    with _lock:
        if _served is connected:
            return
        _served = connected
    threading.Thread(target=connected.serve, name="penstock-futures", daemon=True).start()
