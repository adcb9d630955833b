"""HTTP that goes to public addresses alone, unless it is told otherwise."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.request
from typing import Any

_ATTEMPTS = 3
_WAIT_S = 0.2  # Before the second attempt; twice as long before each that follows.
_PASSING = frozenset({429, 500, 502, 503, 504})
_CHUNK_BYTES = 1 << 20
_DEADLINE_FACTOR = 10


class PrivateAddressError(ValueError):
    """A URI leads to an address that is not public."""


def read_http(
    uri: str, *, allow_private_addresses: bool, max_bytes: int, timeout_s: float
) -> bytes:
    """Return what lies at an http or https URI, following redirects.

    Overloaded and unreachable servers are asked three times.

    Raises:
        PrivateAddressError: the URI, or a redirect, leads to an address that is not public.
        OSError, ValueError, http.client.HTTPException: it cannot be read, or is too long.

    """
    opener = _opener(allow_private_addresses=allow_private_addresses)
    deadline = time.monotonic() + timeout_s * _DEADLINE_FACTOR
    for attempt in range(_ATTEMPTS):
        try:
            with opener.open(uri, timeout=timeout_s) as response:
                return _read(response, max_bytes, deadline)
        except (OSError, http.client.HTTPException) as error:
            if attempt == _ATTEMPTS - 1 or not _may_pass(error) or time.monotonic() > deadline:
                raise _cause(error) from error
        time.sleep(_WAIT_S * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def _read(response: Any, max_bytes: int, deadline: float) -> bytes:
    wanted = response.headers.get("Content-Length")
    if wanted is not None and wanted.isdigit() and int(wanted) > max_bytes:
        raise ValueError(f"longer than max_bytes={max_bytes}")
    data = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise ValueError(f"longer than max_bytes={max_bytes}")
        if time.monotonic() > deadline:
            raise TimeoutError("the download takes too long")
    if wanted is not None and wanted.isdigit() and len(data) < int(wanted):
        raise http.client.IncompleteRead(b"", int(wanted) - len(data))
    return bytes(data)


def _may_pass(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    cause = _cause(error)
    return not isinstance(cause, PrivateAddressError | ssl.SSLCertVerificationError)


def _cause(error: Exception) -> Exception:
    """Return what urllib wrapped."""
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, Exception) else error


def _opener(*, allow_private_addresses: bool) -> urllib.request.OpenerDirector:
    """Return an opener that knows HTTP and redirects, and nothing else."""
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.UnknownHandler(),
    ]
    if allow_private_addresses:
        handlers += [
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
        ]
    else:
        handlers += [_PublicHTTPHandler(), _PublicHTTPSHandler()]
    opener = urllib.request.OpenerDirector()
    opener.addheaders = [("User-Agent", "penstock")]
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _connect(host: str, port: int, timeout_s: float | None) -> socket.socket:
    """Connect to the first address of the host that answers; all of them must be public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        check_public(host, str(address[0]))
    failure: OSError = OSError(f"no address: {host}")
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(timeout_s)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def check_public(host: str, address: str) -> None:
    """Accept an address that anybody on the internet may reach.

    Raises:
        PrivateAddressError: it is private, loopback, link-local, multicast, reserved or the like,
            or an IPv6 address that carries such an IPv4 address.

    """
    checked: ipaddress.IPv4Address | ipaddress.IPv6Address
    checked = ipaddress.ip_address(address.partition("%")[0])
    for candidate in (checked, *_carried(checked)):
        if not candidate.is_global or candidate.is_multicast or candidate.is_reserved:
            raise PrivateAddressError(
                f"{host} is at {address}, which is not a public address; "
                "allow_private_addresses=True allows it"
            )


def _carried(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to by mapping or translation."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in ipaddress.ip_network("64:ff9b::/96"):
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in carried if inner is not None]


class _PublicHTTPConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = _connect(self.host, self.port, self.timeout)


class _PublicHTTPSConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        plain = _connect(self.host, self.port, self.timeout)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


class _PublicHTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PublicHTTPConnection, req)


class _PublicHTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PublicHTTPSConnection, req)
