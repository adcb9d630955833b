"""Paths as the readers and writers take them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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
