"""The docstrings of the Python standard library, read from its sources; nothing is imported."""

from __future__ import annotations

import ast
import inspect
import sys
import sysconfig
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEST_FOLDERS = frozenset({"test", "tests", "idle_test"})
_Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Docstring(NamedTuple):
    """A docstring's owner, such as `argparse.ArgumentParser`, and its first paragraph."""

    name: str
    text: str


def first_paragraph(docstring: str) -> str:
    """Return the text up to the first blank line, on one line, with single spaces."""
    paragraph: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            break
    return " ".join(" ".join(paragraph).split())


def docstrings_of(source: str, module: str) -> Iterator[Docstring]:
    """Yield the docstrings of one module's source, in the order in which they stand.

    Owners without a docstring, or with an empty one, are left out.

    Raises:
        SyntaxError: the source is not Python.

    """
    yield from _walk(ast.parse(source), module)


def stdlib_modules() -> Iterator[tuple[str, Path]]:
    """Yield name and source file of the standard library's modules, sorted, without its tests.

    Modules written in C have no source file and are left out.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    for name in sorted(sys.stdlib_module_names):
        if (folder / f"{name}.py").is_file():
            yield name, folder / f"{name}.py"
            continue
        for file in sorted((folder / name).rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            if _TEST_FOLDERS.isdisjoint(parts):
                yield ".".join(parts).removesuffix(".__init__"), file


def collect(*, limit: int | None = None) -> list[Docstring]:
    """Return the standard library's docstrings in a fixed order, at most `limit` of them."""
    found: list[Docstring] = []
    for module, file in stdlib_modules():
        with tokenize.open(file) as stream:
            found.extend(docstrings_of(stream.read(), module))
        if limit is not None and len(found) >= limit:
            break
    return found[:limit]


def _walk(node: ast.AST, name: str) -> Iterator[Docstring]:
    if isinstance(node, ast.Module | _Named):
        docstring = ast.get_docstring(node, clean=False)
        text = first_paragraph(docstring) if docstring else ""
        if text:
            yield Docstring(name, text)
    for child in ast.iter_child_nodes(node):
        inner = f"{name}.{child.name}" if isinstance(child, _Named) else name
        yield from _walk(child, inner)
