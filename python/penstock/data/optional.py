"""Libraries that only some readers and writers need."""

from __future__ import annotations

import importlib.util


def require(module: str, *, extra: str, needed_by: str) -> None:
    """Check that a library is installed, without importing it.

    Raises:
        ImportError: it is not; the message names what to install.

    """
    try:
        found = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # The package that the module is of.
        found = False
    if not found:
        raise ImportError(
            f"{needed_by} needs the library {module}; install it: pip install 'penstock[{extra}]'",
            name=module,
        )
