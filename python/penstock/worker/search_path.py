"""Where processes look for modules, so that the workers do where the driver does."""

from __future__ import annotations

import os
import sys


def folders() -> list[str]:
    """Return the folders in which this process looks for modules, whatever its folder will be."""
    here = os.getcwd()  # noqa: PTH109  # As text; pathlib would be an import for it alone.
    return [folder or here for folder in sys.path]


def take(folders: list[str]) -> None:
    """Look for modules in these folders from here on."""
    if sys.path != folders:
        sys.path[:] = folders
