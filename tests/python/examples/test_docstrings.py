"""What is collected from the standard library, and under which names."""

from __future__ import annotations

import itertools
import sys

import pytest

from docstrings import Docstring, collect, docstrings_of, first_paragraph, stdlib_modules

SOURCE = '''
"""The module."""

def plain():
    """A function."""

    def inner():
        """A function in a function."""

class Outer:
    "A class.\\n\\n    More about it."

    async def method(self):
        """
        A method,
          in two   lines.

        More about it.
        """

    def silent(self):
        return 1

    def empty(self):
        """   """

if True:
    class Conditional:
        """A class behind a condition."""
'''


def test_names_are_qualified_and_texts_are_first_paragraphs() -> None:
    assert list(docstrings_of(SOURCE, "package.module")) == [
        Docstring("package.module", "The module."),
        Docstring("package.module.plain", "A function."),
        Docstring("package.module.plain.inner", "A function in a function."),
        Docstring("package.module.Outer", "A class."),
        Docstring("package.module.Outer.method", "A method, in two lines."),
        Docstring("package.module.Conditional", "A class behind a condition."),
    ]


def test_source_without_docstrings_yields_nothing() -> None:
    assert list(docstrings_of("x = 'no docstring'\ndef f(): pass\n", "m")) == []


def test_source_that_is_not_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        list(docstrings_of("def (", "m"))


@pytest.mark.parametrize(
    ("docstring", "paragraph"),
    [
        ("One line.", "One line."),
        ("\n\n    First.\n\n    Second.", "First."),
        ("First\n    goes on.\n\t\n    Second.", "First goes on."),
        (" \n \t ", ""),
    ],
)
def test_first_paragraph_ends_at_the_first_blank_line(docstring: str, paragraph: str) -> None:
    assert first_paragraph(docstring) == paragraph


def test_limit_cuts_the_same_sequence_short() -> None:
    few = collect(limit=7)
    assert len(few) == 7
    assert collect(limit=20)[:7] == few


def test_the_whole_standard_library_gives_thousands_and_no_tests() -> None:
    docstrings = collect()
    assert len(docstrings) > 5_000
    assert all(docstring.text for docstring in docstrings)
    names = {docstring.name for docstring in docstrings}
    assert {"argparse.ArgumentParser", "json.decoder.JSONDecoder.decode", "optparse"} <= names
    assert not any({"test", "tests"}.intersection(name.split(".")) for name, _ in stdlib_modules())


def test_collecting_imports_none_of_the_modules() -> None:
    before = set(sys.modules)
    for _ in itertools.islice(stdlib_modules(), 200):
        pass
    collect(limit=500)
    assert not {"antigravity", "this", "aifc"}.intersection(set(sys.modules) - before)
