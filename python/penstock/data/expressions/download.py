"""What runs in a worker for `download`: reads URIs, several at once, in the order of the rows."""

from __future__ import annotations

import atexit
import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from penstock.data.expressions.guarded_http import read_http
from penstock.data.optional import require

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE_BYTES = 32 << 20  # A result is handed on in pieces of about this size.
_logger = logging.getLogger("penstock.download")


class Download:
    """A function from a column of URIs to pieces of a column of bytes."""

    def __init__(
        self,
        *,
        filesystem: Any,
        allow_private_addresses: bool,
        max_bytes: int,
        timeout_s: float,
        connections: int,
        on_error: str,
    ) -> None:
        self._filesystem = filesystem
        self._allow_private_addresses = allow_private_addresses
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._connections = connections
        self._on_error = on_error
        self._uris = 0
        self._failures = 0

    def __call__(self, uris: Any) -> Iterator[Any]:
        """Yield the bytes, one value a URI, at least one piece.

        Raises:
            TypeError: the column is not text.
            ValueError: a URI cannot be read and `on_error` is "raise".

        """
        import pyarrow as pa

        if uris.type not in (pa.string(), pa.large_string(), pa.null()):
            raise TypeError(f"download() needs a column of text; got: {uris.type}")
        piece: list[bytes | None] = []
        piece_bytes = 0
        for data in self._read_all(uris.to_pylist()):
            piece.append(data)
            piece_bytes += len(data or b"")
            if piece_bytes >= _PIECE_BYTES:
                yield pa.array(piece, pa.binary())
                piece, piece_bytes = [], 0
        if piece or len(uris) == 0:
            yield pa.array(piece, pa.binary())

    def _read_all(self, uris: list[Any]) -> Iterator[bytes | None]:
        """Yield each URI's bytes in order; no more are under way or waiting than connections."""
        with ThreadPoolExecutor(self._connections) as threads:
            under_way: deque[tuple[Any, Future[bytes | None]]] = deque()
            left = iter(uris)
            try:
                while True:
                    for uri in left:
                        under_way.append((uri, threads.submit(self._read, uri)))
                        if len(under_way) >= self._connections:
                            break
                    if not under_way:
                        return
                    uri, future = under_way.popleft()
                    yield self._outcome(uri, future)
            finally:
                for _, future in under_way:
                    future.cancel()

    def _outcome(self, uri: Any, future: Future[bytes | None]) -> bytes | None:
        self._uris += 1
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, Exception):
            raise error
        if self._on_error == "raise":
            raise ValueError(f"Cannot download: {error}; got: {uri!r}") from error
        self._failures += 1
        if self._failures == 1:
            _logger.warning("Cannot download, which gives null: %s; got: %r", error, uri)
            atexit.register(self._tell)
        return None

    def _tell(self) -> None:
        """Say at the worker's end how many of its URIs could not be read."""
        _logger.warning(
            "%d of %d URIs could not be downloaded by this worker and gave null; the first "
            "failure is told of above",
            self._failures,
            self._uris,
        )

    def _read(self, uri: str | None) -> bytes | None:
        if uri is None:
            return None
        if self._filesystem is not None:
            return self._read_from(self._filesystem, uri)
        scheme = urlsplit(uri).scheme.lower() if "://" in uri else ""
        if scheme in ("http", "https"):
            return read_http(
                uri,
                allow_private_addresses=self._allow_private_addresses,
                max_bytes=self._max_bytes,
                timeout_s=self._timeout_s,
            )
        if scheme in ("", "file", "local"):
            return self._read_local(uri)
        return self._read_remote(uri)

    def _read_local(self, uri: str) -> bytes:
        path = uri
        if "://" in uri:
            parts = urlsplit(uri)
            if parts.netloc not in ("", "localhost"):
                raise ValueError("a file's URI names another host; write file:///path")
            path = unquote(uri.split("://", 1)[1].removeprefix(parts.netloc))
        with Path(path).open("rb") as file:
            import os

            status = os.fstat(file.fileno())
            if not S_ISREG(status.st_mode):
                raise ValueError("not a regular file")
            return self._checked(file.read(self._max_bytes + 1))

    def _read_remote(self, uri: str) -> bytes:
        import pyarrow as pa
        from pyarrow import fs

        try:
            filesystem, path = fs.FileSystem.from_uri(uri)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            require("fsspec", extra="fsspec", needed_by=f"download of {uri.split('://', 1)[0]}://")
            import fsspec

            filesystem, path = fsspec.core.url_to_fs(uri)
        return self._read_from(filesystem, path)

    def _read_from(self, filesystem: Any, path: str) -> bytes:
        if hasattr(filesystem, "open_input_stream"):
            with filesystem.open_input_stream(path) as stream:
                return self._checked(bytes(stream.read(self._max_bytes + 1)))
        with filesystem.open(path, "rb") as file:
            return self._checked(bytes(file.read(self._max_bytes + 1)))

    def _checked(self, data: bytes) -> bytes:
        if len(data) > self._max_bytes:
            raise ValueError(f"longer than max_bytes={self._max_bytes}")
        return data
