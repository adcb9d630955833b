"""Files on the web as one of pyarrow's file systems: what http and https URIs name, to be read."""

from __future__ import annotations

import http.client
import re
import ssl
import tempfile
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from penstock.worker.file_errors import PASSING_STATUSES

_TIMEOUT_S = 30  # Of connecting, and of each piece of an answer.
_FIRST_BYTES = 4 << 20  # Asked for with the first request: small files take no other.
_CHUNK_BYTES = 1 << 20
_IN_MEMORY_BYTES = 64 << 20  # Of a file that a server sends only as a whole; the rest is on disk.
_KEPT_IN_URIS = "%/:=&?~#+!$,;'@()*[]"
_HANDLERS = (
    urllib.request.ProxyHandler,
    urllib.request.UnknownHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPErrorProcessor,
)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class HttpFiles(pafs.FileSystemHandler):  # type: ignore[misc]
    """Reads by ranges where the server knows them, or else the whole file. Makes no second try.

    Redirects are followed and the environment's proxies used. There are no folders and no writing.
    """

    def __init__(self) -> None:
        self._opener = urllib.request.OpenerDirector()  # Of HTTP alone, wherever it is led to.
        self._opener.addheaders = [("User-Agent", "penstock")]
        for handler in _HANDLERS:
            self._opener.add_handler(handler())

    def __reduce__(self) -> Any:
        return HttpFiles, ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HttpFiles)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(HttpFiles)

    def get_type_name(self) -> str:
        """Return the name that the engine knows URIs as paths by."""
        return "http"

    def normalize_path(self, path: str) -> str:
        """Return the path as it is."""
        return path

    def request(
        self, uri: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Any:
        """Return the server's answer, to be closed.

        Raises:
            FileNotFoundError: the server has no such file.
            PermissionError: it wants other credentials.
            ConnectionError: it is not there, breaks off, or is overloaded.
            OSError: it refuses for another reason.

        """
        parts = urlsplit(uri)
        if "@" in parts.netloc:
            raise OSError(
                "a URI with a password in it is not read; give fsspec's file system, with headers"
            )
        request = urllib.request.Request(  # noqa: S310 - http and https alone
            quote(uri, safe=_KEPT_IN_URIS), method=method, headers=headers or {}
        )
        try:
            return self._opener.open(request, timeout=_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.reason) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise OSError(f"the server's certificate is not trusted: {error.reason}") from None
            raise ConnectionError(f"the server does not answer: {error.reason}") from None

    def get_file_info(self, paths: list[str]) -> list[pafs.FileInfo]:
        """Return what the server says of files without sending them."""
        return [self._info(path) for path in paths]

    def _info(self, path: str) -> pafs.FileInfo:
        try:
            with self.request(path, method="HEAD") as answer:
                size = _length(answer)
        except FileNotFoundError:
            return pafs.FileInfo(path, pafs.FileType.NotFound)
        except ConnectionError:
            raise
        except OSError:  # Many servers know no HEAD, or sign URIs for GET alone.
            try:
                with self.request(path, headers={"Range": "bytes=0-0"}) as answer:
                    size = _total(answer)
            except FileNotFoundError:
                return pafs.FileInfo(path, pafs.FileType.NotFound)
        return pafs.FileInfo(path, pafs.FileType.File, size=size)

    def get_file_info_selector(self, selector: pafs.FileSelector) -> list[pafs.FileInfo]:
        """Raise NotImplementedError: HTTP has no folders."""
        raise NotImplementedError(
            "HTTP has no folders to list; name each file, or list them with fsspec's file system; "
            f"got: {selector.base_dir}"
        )

    def open_input_file(self, path: str) -> pa.NativeFile:
        """Open a file; see the class."""
        return pa.PythonFile(_open(self, path), mode="r")

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """Open a file; see the class."""
        return self.open_input_file(path)

    def create_dir(self, path: str, recursive: bool) -> None:  # noqa: ARG002, FBT001 - pyarrow's
        """Raise NotImplementedError, as all that writes."""
        raise _read_only(path)

    def delete_dir(self, path: str) -> None:
        """See `create_dir`."""
        raise _read_only(path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - pyarrow's
        """See `create_dir`."""
        raise _read_only(path)

    def delete_root_dir_contents(self) -> None:
        """See `create_dir`."""
        raise _read_only("/")

    def delete_file(self, path: str) -> None:
        """See `create_dir`."""
        raise _read_only(path)

    def move(self, src: str, dest: str) -> None:  # noqa: ARG002 - pyarrow's
        """See `create_dir`."""
        raise _read_only(dest)

    def copy_file(self, src: str, dest: str) -> None:  # noqa: ARG002 - pyarrow's
        """See `create_dir`."""
        raise _read_only(dest)

    def open_output_stream(self, path: str, metadata: Any) -> pa.NativeFile:  # noqa: ARG002 - pyarrow's
        """See `create_dir`."""
        raise _read_only(path)

    def open_append_stream(self, path: str, metadata: Any) -> pa.NativeFile:  # noqa: ARG002 - pyarrow's
        """See `create_dir`."""
        raise _read_only(path)


class _RangedFile:
    """A file that is read by ranges; the first bytes are here already."""

    def __init__(self, files: HttpFiles, uri: str, first: bytes, size: int, version: str) -> None:
        self._files = files
        self._uri = uri
        self._first = first
        self._size = size
        self._version = version
        self._position = 0
        self.closed = False

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def read(self, count: int = -1) -> bytes:
        begin = min(self._position, self._size)
        end = self._size if count < 0 else min(begin + count, self._size)
        data = self._first[begin:end] if end <= len(self._first) else self._fetch(begin, end)
        self._position = begin + len(data)
        return data

    def close(self) -> None:
        self.closed = True

    def flush(self) -> None:
        pass

    def _fetch(self, begin: int, end: int) -> bytes:
        headers = {"Range": f"bytes={begin}-{end - 1}"}
        if self._version:
            headers["If-Range"] = self._version
        with self._files.request(self._uri, headers=headers) as answer:
            if answer.status != http.client.PARTIAL_CONTENT or _total(answer) != self._size:
                raise OSError("the file has changed while it was read")
            return _read_all(answer, end - begin)


def _open(files: HttpFiles, uri: str) -> Any:
    headers = {"Range": f"bytes=0-{_FIRST_BYTES - 1}"}
    try:
        answer = files.request(uri, headers=headers)
    except _RangeError:  # An empty file has no first byte.
        answer = files.request(uri)
    with answer:
        total = _total(answer)
        if answer.status == http.client.PARTIAL_CONTENT and total is not None:
            first = _read_all(answer, min(_FIRST_BYTES, total))
            version = answer.headers.get("ETag", "")
            return _RangedFile(files, uri, first, total, "" if version[:2] == "W/" else version)
        return _whole(answer)


def _whole(answer: Any) -> Any:
    wanted = _length(answer)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - the caller's
    came = 0
    while chunk := answer.read1(_CHUNK_BYTES):
        file.write(chunk)
        came += len(chunk)
    if wanted is not None and came < wanted:
        raise ConnectionError(f"the connection ended after {came} of {wanted} bytes")
    file.seek(0)
    return file


def _read_all(answer: Any, wanted: int) -> bytes:
    data = bytearray()
    while len(data) < wanted and (chunk := answer.read1(min(_CHUNK_BYTES, wanted - len(data)))):
        data += chunk
    if len(data) < wanted:
        raise ConnectionError(f"the connection ended after {len(data)} of {wanted} bytes")
    return bytes(data)


def _length(answer: Any) -> int | None:
    text = answer.headers.get("Content-Length", "")
    encoded = answer.headers.get("Content-Encoding", "identity") != "identity"
    return int(text) if text.isdigit() and not encoded else None


def _total(answer: Any) -> int | None:
    """Return the size of the whole file, of which the answer may hold a part."""
    if answer.status != http.client.PARTIAL_CONTENT:
        return _length(answer)
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    return None if found is None else int(found[3])


class _RangeError(OSError):
    pass


def _refusal(status: int, reason: str) -> OSError:
    text = f"HTTP status {status} {reason}"
    if status in (http.client.NOT_FOUND, http.client.GONE):
        return FileNotFoundError(text)
    if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return PermissionError(text)
    if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _RangeError(text)
    return ConnectionError(text) if status in PASSING_STATUSES else OSError(text)


def _read_only(path: str) -> NotImplementedError:
    return NotImplementedError(
        f"files on the web are read only; write to a folder or a bucket; got: {path}"
    )
