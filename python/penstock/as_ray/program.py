"""Finds the program that a command line names, as python finds it."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

_MAIN = "__main__"
_FAILED, _CANNOT_OPEN = 1, 2  # Python's own exit codes for these.


class NoProgramError(Exception):
    """There is no such program."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Program(NamedTuple):
    """What is to run as `__main__`."""

    file: str | None  # As `__file__` tells it.
    loader: Any
    spec: ModuleSpec | None  # None for a plain script.
    package: str | None

    def code(self) -> CodeType:
        """Compile it, or read what was compiled.

        Raises:
            SyntaxError, ValueError: that is not possible.
            OSError: it cannot be read.

        """
        if self.spec is not None:
            code: CodeType = self.loader.get_code(self.spec.name)
            return code
        file = self.file or ""
        with io.open_code(file) as source:
            return compile(source.read(), file, "exec", dont_inherit=True)


def find_script(path: str) -> Program:
    """Find a script, or what a folder or a zip file holds; set `sys.path[0]` for it.

    Raises:
        NoProgramError: there is none.

    """
    if os.path.isdir(path) or _is_archive(path):  # noqa: PTH112  # pathlib would be an import for it.
        return _find_main(path)
    file = os.path.abspath(path)  # noqa: PTH100
    try:
        with io.open_code(file):
            pass
    except OSError as error:
        raise NoProgramError(f"The script cannot be opened: {error}", _CANNOT_OPEN) from None
    _set_first_path(os.path.dirname(os.path.realpath(path)))  # noqa: PTH120
    return Program(file, SourceFileLoader(_MAIN, file), None, None)


def find_module(name: str) -> Program:
    """Find a module, or a package's `__main__`; `sys.path[0]` is set for it already.

    Raises:
        NoProgramError: there is none, or importing the package that it is in failed to find it.

    """
    spec = _module_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name = f"{name}.{_MAIN}"
        spec = _module_spec(name)
    if spec is None or not hasattr(spec.loader, "get_code"):
        raise NoProgramError(f"There is no module to run of the name: {name}", _FAILED)
    sys.argv[0] = spec.origin or name
    return Program(spec.origin, spec.loader, spec, spec.parent)


def _find_main(folder: str) -> Program:
    absolute = os.path.abspath(folder)  # noqa: PTH100
    spec = PathFinder.find_spec(_MAIN, [absolute])
    if spec is None or not hasattr(spec.loader, "get_code"):
        raise NoProgramError(f"There is no __main__.py in: {folder}", _FAILED)
    _set_first_path(absolute)
    return Program(spec.origin, spec.loader, spec, "")


def _module_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise


def _is_archive(path: str) -> bool:
    from zipimport import ZipImportError, zipimporter

    try:
        zipimporter(path)
    except ZipImportError:
        return False
    return True


def _set_first_path(folder: str) -> None:
    if sys.flags.safe_path:  # Then python has put no folder there either.
        return
    sys.path[0] = folder
