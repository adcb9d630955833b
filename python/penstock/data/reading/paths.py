"""Paths as the readers and writers take them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def path_text(path: str | os.PathLike[str]) -> str:
    """Return the path or URI as text; Ray's "local://" is this machine, where all runs anyway.

    Raises:
        TypeError: not a path.
        ValueError: not UTF-8, or with a null character in it.

    """
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"A path must be a str or a PathLike of str; got: {path!r}")
    if "\0" in text:
        raise ValueError(f"A path must not hold a null character; got: {text!r}")
    if os.fsencode(text) != text.encode(errors="replace"):
        raise ValueError(f"A path must be UTF-8; rename the file or folder; got: {text!r}")
    return text.removeprefix("local://")


def path_list(paths: Paths) -> list[str]:
    """Return one path or several as a list.

    Raises:
        ValueError: an empty list; see also `path_text`.
        TypeError: see `path_text`.

    """
    if isinstance(paths, (str, os.PathLike)):
        return [path_text(paths)]
    found = [path_text(path) for path in paths]
    if not found:
        raise ValueError("At least one path must be given; got: []")
    return found


def local_paths(operation: str, paths: Paths, filesystem: Any) -> list[str]:
    """Return the paths as the engine reads them: on this machine's disks, or by their URIs.

    Raises:
        NotImplementedError: a file system that is not this machine's, or a path on the web.
        ValueError: see `path_list`.
        TypeError: see `path_text`.

    """
    found = path_list(paths)
    for path in found:
        if path.startswith(("http://", "https://")):
            raise NotImplementedError(
                f"{operation} does not read from the web; copy the file to a disk or a bucket "
                "first, for example with fsspec, or fetch it with the expression download; "
                f"got: {path}"
            )
    if filesystem is None:
        return found
    base = _local_base(filesystem)
    if base is None:
        raise NotImplementedError(
            f"{operation} reads this machine's files and URIs (s3://, gs://, abfs://, hdfs://, "
            "with credentials from the environment); name the file system in the paths and leave "
            f"it out: filesystem={type(filesystem).__name__}"
        )
    return [f"{base}{path}" for path in found]


def _local_base(filesystem: Any) -> str | None:
    """Return what comes before paths on this machine's file system; None: it is another."""
    protocol = getattr(filesystem, "protocol", None)
    if "file" in ([protocol] if isinstance(protocol, str) else protocol or []):
        return ""
    kind = getattr(filesystem, "type_name", "")
    if kind == "subtree":
        base = _local_base(filesystem.base_fs)
        return None if base is None else f"{base}{filesystem.base_path.rstrip('/')}/"
    return "" if kind == "local" else None
