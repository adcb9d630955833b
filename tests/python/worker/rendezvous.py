"""Lets a test meet its workers: each waits until all are there."""

from __future__ import annotations

import itertools
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 60.0
_numbers = itertools.count()


@contextmanager
def rendezvous(folder: Path, *, parties: int) -> Iterator[str]:
    """Yield an address at which `meet` returns once `parties` have called it."""
    address = str(folder / f"meeting-{next(_numbers)}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(parties)
        listener.settimeout(_PATIENCE_S)
        host = threading.Thread(target=_receive, args=(listener, parties))
        host.start()
        yield address
        host.join()


def meet(address: str) -> str:
    """Wait for the others, unless `address` is empty; return the empty address."""
    if not address:
        return address
    with socket.socket(socket.AF_UNIX) as party:
        party.settimeout(_PATIENCE_S)
        party.connect(address)
        party.recv(1)
    return ""


def _receive(listener: socket.socket, parties: int) -> None:
    guests = [listener.accept()[0] for _ in range(parties)]
    for guest in guests:
        guest.send(b"!")
        guest.close()
