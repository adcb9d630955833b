"""The files of an output that readers see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def part_files(folder: Path) -> list[Path]:
    """Return the files in a folder and below, but for those of the ledger and the marker."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(_is_hidden(part) for part in path.relative_to(folder).parts)
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(("_", "."))
