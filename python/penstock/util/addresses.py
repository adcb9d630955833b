"""The address of this machine."""

from __future__ import annotations

import socket

_LOOPBACK = "127.0.0.1"
_ELSEWHERE = ("192.0.2.1", 9)  # Of the block that is for documents; nothing is sent there.


def get_node_ip_address(address: str | None = None) -> str:
    """Return the address by which other machines reach this one; 127.0.0.1 where there is none.

    Args:
        address: "host:port" that is to be reached; by default whatever the network leads to.

    """
    host, _, port = (address or "").rpartition(":")
    target = (host, int(port)) if host else _ELSEWHERE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(target)  # Chooses a route; a datagram socket sends nothing by it.
        except OSError:
            return _LOOPBACK
        found: str = probe.getsockname()[0]
    return found
