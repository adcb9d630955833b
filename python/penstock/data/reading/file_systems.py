"""Which file system paths are meant on, as the engine opens it.

This machine's files, and what Arrow reaches itself (S3, Google, Azure, HDFS), the engine's own
threads read. Any other file system is Python code, which they must not run: it is served by a
process of its own (`penstock.worker.file_server`), or by threads of this one where only this one
has its files.
"""

from __future__ import annotations

import collections
import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock._core import FileSystem
from penstock.data.context import RETRIED_ANYWAY, DataContext
from penstock.data.optional import require
from penstock.data.reading.paths import (
    BY_ARROW,
    WEB,
    has_options,
    path_list,
    root_of,
    scheme_of,
    without_options,
)

if TYPE_CHECKING:
    import pyarrow.fs as pafs

    from penstock.data.reading.paths import Paths

_LOCAL = frozenset({"", "file"})
_NATIVE = frozenset({"s3", "gcs", "abfs", "hdfs"})
_SERVED_MAX = 8  # File systems whose processes are kept for further plans.

_served: collections.OrderedDict[bytes, FileSystem] = collections.OrderedDict()
_served_lock = threading.Lock()


class Placed(NamedTuple):
    """Paths as the engine takes them, and the file system that they are on; None: they say."""

    paths: list[str]
    file_system: FileSystem | None


def place(operation: str, paths: Paths, filesystem: Any, *, comes_back: bool = False) -> Placed:
    """Find the file system of paths.

    `comes_back`: paths that the engine shows will be given to it again.

    Raises:
        ImportError: a library is needed that is not installed.
        NotImplementedError: the paths are on several file systems.
        TypeError: no file system, or one that cannot be sent to another process.
        ValueError: no path, or a URI that cannot be read.

    """
    found = path_list(paths)
    if filesystem is not None:
        base = _local_base(filesystem)
        if base is not None:
            return Placed([f"{base}{path}" for path in found], None)
        return Placed(found, engine_file_system(filesystem))
    schemes = {scheme_of(path) for path in found}
    if schemes <= _LOCAL:
        return Placed(found, None)
    if schemes <= set(WEB):
        for path in found:
            if path.endswith("/"):
                raise ValueError(f"{operation} reads files of the web, not folders; got: {path}")
        return Placed(found, engine_file_system(_http_files()))
    if schemes <= BY_ARROW | _LOCAL:
        _import_pyarrow_file_systems()
        return _by_arrow(operation, found, comes_back=comes_back)
    if len(schemes) > 1:
        raise NotImplementedError(
            f"{operation} reads from one file system at a time; read each and join them with "
            f"union; got: {', '.join(sorted(schemes))}"
        )
    return _by_fsspec(operation, found)


def retried_errors() -> dict[str, list[str]]:
    """Return the engine's option for `DataContext.retried_io_errors`: what it does not know."""
    texts = _further_errors()
    return {"retried_io_errors": texts} if texts else {}


def engine_file_system(filesystem: Any) -> FileSystem:
    """Return one of pyarrow's or fsspec's file systems as the engine has it.

    Raises:
        TypeError: no file system, or one that cannot be sent to another process.

    """
    import pyarrow.fs as pafs

    if isinstance(filesystem, pafs.SubTreeFileSystem):
        if _is_native(filesystem.base_fs):
            return engine_file_system(filesystem.base_fs).sub_tree(filesystem.base_path)
    elif isinstance(filesystem, pafs.FileSystem) and _is_native(filesystem):
        return FileSystem.open(filesystem.type_name, json.dumps(_arguments(filesystem)))
    if isinstance(filesystem, pafs.FileSystem):
        return _serve(filesystem, here=False)
    if isinstance(filesystem, pafs.FileSystemHandler):
        return _serve(pafs.PyFileSystem(filesystem), here=False)
    if not hasattr(filesystem, "open") or not hasattr(filesystem, "protocol"):
        raise TypeError(f"filesystem must be one of pyarrow's or of fsspec's; got: {filesystem!r}")
    here = "memory" in _protocols(filesystem)  # No other process has its files.
    return _serve(pafs.PyFileSystem(pafs.FSSpecHandler(filesystem)), here=here)


def _by_arrow(operation: str, paths: list[str], *, comes_back: bool) -> Placed:
    if not comes_back and not any(has_options(path) for path in paths):
        return Placed(paths, None)
    roots = {root_of(path) for path in paths}
    if len(roots) > 1:
        if not any(has_options(path) for path in paths):
            return Placed(paths, None)
        raise NotImplementedError(
            f"{operation} reads from one file system at a time where URIs have options; read each "
            "and join them with union"
        )
    file_system, _ = FileSystem.from_uri(paths[0], _further_errors())
    if file_system.type_name == "local":
        return Placed(paths, None)
    return Placed([without_options(path) for path in paths], file_system)


def _further_errors() -> list[str]:
    texts = DataContext.get_current().retried_io_errors
    return [text for text in texts if text not in RETRIED_ANYWAY]


def _by_fsspec(operation: str, paths: list[str]) -> Placed:
    require("fsspec", extra="fsspec", needed_by=f"{operation} of {scheme_of(paths[0])}://")
    import fsspec

    try:
        filesystem, _ = fsspec.core.url_to_fs(paths[0])
    except ValueError as error:
        raise ValueError(
            f"{operation} knows no file system of this kind; give one (filesystem=): {error}; "
            f"got: {paths[0]}"
        ) from error
    return Placed([_known_by(filesystem, path) for path in paths], engine_file_system(filesystem))


def _known_by(filesystem: Any, uri: str) -> str:
    """Return a URI that is its scheme and the path there; of any other the path alone."""
    path = str(filesystem._strip_protocol(uri))  # noqa: SLF001 - fsspec's own way
    return uri if uri.partition("://")[2] == path.lstrip("/") else path


def _http_files() -> Any:
    import pyarrow.fs as pafs

    from penstock.worker.http_files import HttpFiles

    return pafs.PyFileSystem(HttpFiles())


def _import_pyarrow_file_systems() -> None:
    """Let pyarrow end Arrow's S3 in order when Python ends, which it does once it is imported."""
    import pyarrow.fs  # noqa: F401


def _is_native(filesystem: pafs.FileSystem) -> bool:
    import pyarrow.fs as pafs

    if isinstance(filesystem, pafs.SubTreeFileSystem):
        return _is_native(filesystem.base_fs)
    return filesystem.type_name in _NATIVE


def _arguments(filesystem: pafs.FileSystem) -> dict[str, Any]:
    """Return what a file system of pyarrow's is to be made with, which is how it is pickled."""
    _, (arguments,) = filesystem.__reduce__()
    arguments = dict(arguments)
    metadata = arguments.pop("default_metadata", None)
    if metadata:
        arguments["default_metadata"] = {
            key.decode(): value.decode() for key, value in metadata.items()
        }
    expires = arguments.pop("credential_token_expiration", None)
    if expires is not None:
        arguments["expiration_seconds"] = expires.timestamp()
    limit = arguments.pop("retry_time_limit", None)
    if limit is not None:
        arguments["retry_limit_seconds"] = limit.total_seconds()
    return arguments


def _serve(filesystem: pafs.FileSystem, *, here: bool) -> FileSystem:
    from penstock.data.reading import served

    name = filesystem.type_name.removeprefix("py::")
    if here:
        return FileSystem.served(name, served.serve_here(filesystem))
    packed = served.pack(filesystem)
    with _served_lock:
        found = _served.get(packed)
        if found is None:
            found = FileSystem.served(name, served.start(packed))
            _served[packed] = found
            if len(_served) > _SERVED_MAX:
                _served.popitem(last=False)
        _served.move_to_end(packed)
        return found


def _local_base(filesystem: Any) -> str | None:
    """Return what comes before paths on this machine's file system; None: it is another."""
    if "file" in _protocols(filesystem):
        return ""
    kind = getattr(filesystem, "type_name", "")
    if kind == "subtree":
        base = _local_base(filesystem.base_fs)
        return None if base is None else f"{base}{filesystem.base_path.rstrip('/')}/"
    return "" if kind == "local" else None


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = getattr(filesystem, "protocol", None) or ()
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
