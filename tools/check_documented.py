"""Check that every declaration in the public C++ headers has a comment.

A comment of `///` speaks for the declarations that follow it without an empty line; a field or an
enumerator may have one of `//` behind it instead.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = ROOT / "src" / "penstock"
NOT_DECLARATIONS = ("}", "public:", "namespace ", "#include ", "#pragma ")


def undocumented(header: Path) -> list[str]:
    """Return where declarations lack a comment, one line each."""
    found = []
    covered = private = False
    depth = 0  # Of parentheses, in a declaration of several lines.
    continues = False
    for number, line in enumerate(header.read_text().splitlines(), start=1):
        text = line.strip()
        if private or text == "private:":
            private = text != "};"
        elif not text or text.startswith("///"):
            covered = bool(text)
        elif not text.startswith(("//", *NOT_DECLARATIONS)):
            code, comment, _ = (part.strip() for part in text.partition("//"))
            if not continues and not covered and not comment:
                found.append(f"{header.relative_to(ROOT)}:{number}: lacks a comment: {text}")
            depth += code.count("(") - code.count(")")
            continues = depth > 0 or (not code.endswith((";", ",", "{", "}")) and code[0] != "#")
            covered = covered and (continues or not code.endswith("{"))
    return found


def main() -> int:
    """Print every declaration without a comment; return 1 when there is one."""
    found = [line for header in sorted(PUBLIC.glob("*.h")) for line in undocumented(header)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
