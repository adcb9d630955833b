"""Run clang-tidy, thread-safety analysis among it, over the C++ sources.

A file is checked again only when it, a header of ours or the configuration has changed: the
results of clean runs are kept under build/tidy.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tidy"
BINARIES = Path(sys.executable).parent


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git knows or would take, by pattern."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split()]


def configure() -> None:
    """Write the compilation database, without precompiled headers, which only GCC could read."""
    subprocess.run(
        [
            "cmake",
            "-S",
            ROOT,
            "-B",
            BUILD,
            "-G",
            "Ninja",
            "-DPENSTOCK_TESTS=ON",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
            "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",
            "-DCMAKE_CXX_COMPILER_LAUNCHER=",
            f"-DPython_EXECUTABLE={sys.executable}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def fingerprint(source: Path, shared: bytes) -> str:
    """Return what decides whether `source` must be checked again."""
    return hashlib.sha256(shared + source.read_bytes()).hexdigest()


def check(source: Path, shared: bytes) -> str:
    """Return clang-tidy's complaints about `source`; empty when it is clean."""
    clean = BUILD / "clean" / fingerprint(source, shared)
    if clean.exists():
        return ""
    result = subprocess.run(
        [BINARIES / "clang-tidy", "-p", BUILD, "--quiet", "--warnings-as-errors=*", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        return result.stdout + result.stderr
    clean.parent.mkdir(parents=True, exist_ok=True)
    clean.touch()
    return ""


def main() -> int:
    """Check every source of the core and the bindings; return 1 on any complaint."""
    configure()
    headers = sorted(tracked("*.h"))
    shared = b"".join(header.read_bytes() for header in headers)
    shared += (ROOT / ".clang-tidy").read_bytes()
    sources = sorted(tracked("src/*.cc", "python/bindings/*.cc"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(lambda s: check(s, shared), sources) if text]
    print("".join(complaints), end="")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
