"""The virtual environment of the engines that Penstock is compared with."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TORCH = "torch==2.13.0"
_ENGINES = ("ray[data]==2.60.0", "daft==0.7.26", "pillow==13.0.0")  # Ray decodes by Pillow.
_SHOW_VERSIONS = """
import importlib, importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        try:
            found[name] = importlib.import_module(name).__version__  # Not installed, but built.
        except ImportError:
            pass
print(json.dumps(found))
"""


def python_of(environment: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return environment / "bin" / "python"


def install_peers(environment: Path) -> None:
    """Create the environment and install Ray, Daft and what the jobs import; once only.

    torch comes first, so that nothing else may choose its version; transformers is the one
    that Penstock's jobs run with.

    Raises:
        subprocess.CalledProcessError: a package could not be installed.
    """
    complete = environment / "complete"
    if complete.exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
    pip = [str(python_of(environment)), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, _TORCH], check=True)
    transformers = f"transformers=={version('transformers')}"
    subprocess.run([*pip, *_ENGINES, _TORCH, transformers], check=True)
    complete.touch()


def versions(python: Path, packages: list[str]) -> dict[str, str]:
    """Return the versions of those packages that the interpreter has installed."""
    output = subprocess.run(
        [str(python), "-c", _SHOW_VERSIONS, *packages], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, str] = json.loads(output)
    return found
