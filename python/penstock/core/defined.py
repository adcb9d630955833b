"""Functions and classes as the hub knows them: packed once, under a number made of the bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from penstock.core.definitions import pack_definition

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._worker import Client


class Defined:
    """A function or class that tasks run; it is packed on first use, as it is then."""

    def __init__(self, function: Callable[..., Any], retry_exceptions: Any = None) -> None:
        self._function = function
        self._retry_exceptions = retry_exceptions
        self._packed: bytes | None = None
        self._number = 0
        self._told: Client | None = None

    def number(self, connected: Client) -> int:
        """Return the number under which the hub knows it by now.

        Raises:
            TypeError: it cannot be sent to another process.

        """
        if self._told is not connected:
            if self._packed is None:
                self._packed = pack_definition(self._function, self._retry_exceptions)
                digest = hashlib.blake2b(self._packed, digest_size=8).digest()
                self._number = int.from_bytes(digest, "little")
            connected.define(self._number, self._packed)
            self._told = connected
        return self._number
