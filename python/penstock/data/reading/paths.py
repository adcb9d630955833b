"""Paths as the readers and writers take them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

WEB = ("http", "https")
BY_ARROW = frozenset({"s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "mock"})


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


def scheme_of(path: str) -> str:
    """Return the scheme of a URI; "" for a path."""
    return path.split("://", 1)[0] if "://" in path else ""


def has_options(uri: str) -> bool:
    """Say whether a URI holds options or credentials, which nobody shall see in a path."""
    if scheme_of(uri) not in BY_ARROW:
        return False
    _, account, query = root_of(uri)
    return bool(account or query)


def root_of(uri: str) -> tuple[str, str, str]:
    """Return what decides which file system a URI is on: its scheme, credentials and options."""
    from urllib.parse import urlsplit

    parts = urlsplit(uri)
    has_account = parts.scheme.startswith(("abfs", "hdfs", "viewfs"))
    account = parts.netloc if has_account else parts.netloc.rpartition("@")[0]
    return parts.scheme, account, parts.query


def without_options(uri: str) -> str:
    """Return a URI as a path that may be shown: without options and credentials."""
    if not has_options(uri):
        return uri
    scheme, _, rest = uri.partition("://")
    place_there, _, _ = rest.partition("?")
    host, slash, path = place_there.partition("/")
    if scheme.startswith("abfs") and "@" in host:  # container@account
        host = host.partition("@")[0]
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
