"""Check that each room of the core includes only what the layer table allows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "penstock"

# A room may include itself, the rooms named here, and whatever those may include.
LAYERS: dict[str, tuple[str, ...]] = {
    "base": (),
    "memory": ("base",),
    "block": ("memory",),
    "plan": ("block",),
    "files": ("base",),
    "source": ("plan", "files"),
    "op": ("plan",),
    "model": ("plan",),
    "sink": ("plan", "files"),
    "worker": ("block",),
    "runtime": ("worker",),
    "ledger": ("block",),
    "exec": ("source", "op", "model", "sink", "runtime", "ledger"),
}
# The dispatcher and the scheduler are pure state machines: they may know nothing but base/.
PURE = re.compile(
    r"exec/(dispatcher|stage_state|batching|admission|statistics)[a-z_]*\.(h|cc)$"
    r"|runtime/(scheduler[a-z_]*\.(h|cc)|wire\.h)$"
)
INCLUDE = re.compile(r'#include\s+[<"]([^>"]+)[>"]')


def allowed_rooms(room: str) -> set[str]:
    """Return every room that `room` may include, itself among them."""
    allowed = {room}
    for below in LAYERS[room]:
        allowed |= allowed_rooms(below)
    return allowed


def violations(source: Path) -> list[str]:
    """Return what `source` includes against the table, one line each."""
    relative = source.relative_to(CORE).as_posix()
    room = relative.split("/")[0]
    if room not in LAYERS:
        return [f"{relative}: the layer table knows no room '{room}'"]
    allowed = allowed_rooms(room)
    pure = PURE.search(relative) is not None
    found = []
    for number, line in enumerate(source.read_text().splitlines(), start=1):
        match = INCLUDE.match(line)
        if match is None:
            continue
        included = match.group(1)
        if included.startswith(("Python.h", "nanobind", "pybind11")):
            found.append(f"{relative}:{number}: the core includes no Python: {included}")
        if not included.startswith("penstock/"):
            continue
        target = included.split("/")[1]
        if target not in allowed:
            found.append(f"{relative}:{number}: {room} may not include {target}: {included}")
        if pure and target != "base" and not PURE.search(included):
            found.append(f"{relative}:{number}: a state machine may include base only: {included}")
    return found


def main() -> int:
    """Print every violation; return 1 when there is one."""
    found = [
        violation
        for source in sorted(CORE.rglob("*"))
        if source.suffix in {".h", ".cc"} and source.parent != CORE
        for violation in violations(source)
    ]
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
