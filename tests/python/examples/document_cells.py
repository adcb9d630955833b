"""The Python code of documents: of notebooks, of reStructuredText, of pages kept as plain text."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIRECTIVE = re.compile(r"( *)\.\. (testcode::|code-block:: python)\s*$")
_TWO_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


def cells_of(document: Path) -> list[str]:
    """Return the code cells in their order, each as it stands but for the indentation of all lines.

    Listings in other languages and what programs print are left out.
    """
    text = document.read_text(encoding="utf-8")
    if text.startswith("{"):
        return _of_notebook(text)
    return list(_of_directives(text.splitlines())) or _of_plain_text(text)


def _of_notebook(text: str) -> list[str]:
    cells = json.loads(text)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _of_directives(lines: list[str]) -> Iterator[str]:
    for place, line in enumerate(lines):
        directive = _DIRECTIVE.match(line)
        if directive is None:
            continue
        indentation = len(directive[1])
        body = []
        for below in lines[place + 1 :]:
            if below.strip() and len(below) - len(below.lstrip()) <= indentation:
                break
            body.append("" if below.lstrip().startswith(":") and not any(body) else below)
        yield textwrap.dedent("\n".join(body)).strip("\n")


def _of_plain_text(text: str) -> list[str]:
    """Return the parts between blank lines that are Python and more than a word."""
    return [part.strip("\n") for part in _TWO_BLANK_LINES.split(text) if _is_program(part)]


def _is_program(text: str) -> bool:
    try:
        statements = ast.parse(text).body
    except SyntaxError:
        return False
    return any(not isinstance(statement, ast.Expr) for statement in statements)
