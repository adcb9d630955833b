"""Files as Python's own readers and writers see them: pyarrow's file systems, and fsspec's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.data.reading.paths import (
    BY_ARROW,
    WEB,
    has_options,
    path_text,
    scheme_of,
    without_options,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pyarrow.fs as pafs


def open_file_system(
    path: str | os.PathLike[str], filesystem: Any = None
) -> tuple[pafs.FileSystem, str]:
    """Return the file system of a path or URI, and the path as that file system knows it.

    `filesystem` may be one of pyarrow's or of fsspec's; None: what the URI says, or the local one.
    """
    import pyarrow.fs as pafs

    text = path_text(path)
    if filesystem is None:
        filesystem = file_system_of([text])
    if filesystem is None:
        if "://" in text:
            return _from_uri(text)
        return pafs.LocalFileSystem(), text
    if not isinstance(filesystem, pafs.FileSystem):
        filesystem = pafs.PyFileSystem(pafs.FSSpecHandler(filesystem))
    if filesystem.type_name == "py::http":
        return filesystem, text
    return filesystem, without_options(text).split("://", 1)[-1]


def file_system_of(paths: list[str]) -> Any:
    """Return the file system of URIs that the engine does not list; None: it does.

    These are files of the web, what only fsspec knows, and URIs whose options would get lost.
    """
    first = paths[0]
    scheme = scheme_of(first)
    if scheme in ("", "file", *BY_ARROW) and not has_options(first):
        return None
    if scheme in WEB:
        import pyarrow.fs as pafs

        from penstock.worker.http_files import HttpFiles

        return pafs.PyFileSystem(HttpFiles())
    return _from_uri(first)[0]


def _from_uri(uri: str) -> tuple[pafs.FileSystem, str]:
    import pyarrow as pa
    import pyarrow.fs as pafs

    try:
        found: tuple[pafs.FileSystem, str] = pafs.FileSystem.from_uri(uri)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        require("fsspec", extra="fsspec", needed_by=f"What begins with {uri.split('://', 1)[0]}://")
        import fsspec

        system, path = fsspec.core.url_to_fs(uri)
        return pafs.PyFileSystem(pafs.FSSpecHandler(system)), path
    return found


def list_files(
    paths: list[str],
    filesystem: Any,
    extensions: Sequence[str] | None,
    *,
    ignore_missing: bool,
) -> list[str]:
    """Return the files at `paths` in a file system, those of a folder sorted by path.

    Raises:
        FileNotFoundError: nothing is there.

    """
    import pyarrow.fs as pafs

    found: list[str] = []
    for path in paths:
        system, place = open_file_system(path, filesystem)
        info = system.get_file_info(place)
        if info.type == pafs.FileType.NotFound:
            if not ignore_missing:
                raise FileNotFoundError(f"There is no such file or folder; got: {path}")
        elif info.is_file:
            found.append(place)
        else:
            inside = system.get_file_info(pafs.FileSelector(place, recursive=True))
            found.extend(sorted(file.path for file in inside if file.is_file))
    if extensions is not None:
        endings = tuple(f".{extension.lower()}" for extension in extensions)
        found = [path for path in found if path.lower().endswith(endings)]
    if not found and not ignore_missing:
        raise FileNotFoundError(f"There is no file to read; got: {', '.join(paths)}")
    return found
