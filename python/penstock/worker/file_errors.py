"""What an exception of a Python file system is to the engine, which tries again what may pass."""

from __future__ import annotations

import errno
import http.client

_PASSING = frozenset(
    {
        errno.EAGAIN,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EPIPE,
        errno.ETIMEDOUT,
    }
)
# By name, so that none of these libraries need be there: aiohttp's below fsspec, requests' and
# botocore's. Of the subclasses all count that have one of these among their bases.
_PASSING_NAMES = frozenset(
    {
        "ClientConnectionError",
        "ClientPayloadError",
        "ConnectTimeoutError",
        "EndpointConnectionError",
        "FSTimeoutError",
        "HTTPClientError",
        "ReadTimeoutError",
        "RequestException",
        "ServerDisconnectedError",
    }
)
_DENIED_NAMES = frozenset({"NoCredentialsError", "PartialCredentialsError"})
_KINDS: tuple[tuple[str, tuple[type[BaseException], ...], frozenset[str]], ...] = (
    ("missing", (FileNotFoundError, NotADirectoryError), frozenset()),
    ("denied", (PermissionError,), _DENIED_NAMES),
    (
        "unreachable",
        (ConnectionError, TimeoutError, http.client.HTTPException),
        _PASSING_NAMES,
    ),
    ("unsupported", (NotImplementedError,), frozenset()),
    ("memory", (MemoryError,), frozenset()),
)


def error_kind(error: BaseException) -> str:
    """Return "missing", "denied", "unreachable", "unsupported", "memory" or "other"."""
    names = {kind.__name__ for kind in type(error).__mro__}
    for kind, classes, kind_names in _KINDS:
        if isinstance(error, classes) or names & kind_names:
            return kind
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return _kind_of_status(status)
    return "unreachable" if getattr(error, "errno", None) in _PASSING else "other"


def error_message(error: BaseException) -> str:
    """Return what the engine tells of an exception."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _kind_of_status(status: int) -> str:
    if status in (401, 403):
        return "denied"
    if status in (404, 410):
        return "missing"
    return "unreachable" if status in PASSING_STATUSES else "other"


# Of HTTP: what a server says that may say otherwise the next time.
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
