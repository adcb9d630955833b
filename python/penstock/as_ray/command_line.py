"""Reads the command line of `python -m penstock.as_ray`."""

from __future__ import annotations

import sys
from typing import NoReturn

from penstock.as_ray import install
from penstock.as_ray.program import NoProgramError, find_module, find_script
from penstock.as_ray.running import run

_USAGE = """\
usage: python -m penstock.as_ray script.py [argument ...]
       python -m penstock.as_ray -m module [argument ...]

Run a program as python does, with Penstock in place of ray: `import ray`, and each
`import ray.x.y`, find Penstock's module of that name, in the program and in its workers.
A folder or zip file with a __main__.py may stand in place of a script.
"""
_WRONG_USAGE = 2


def main() -> None:
    """Run the program that the command line names, in this process; return when it has ended."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(_USAGE)
        return
    is_module = arguments[:1] == ["-m"]
    if is_module:
        del arguments[0]
    if not arguments:
        _refuse(_USAGE)
    if arguments[0].startswith("-"):
        _refuse(f"{_USAGE}\nunknown option: {arguments[0]}\n")
    install()
    sys.argv = arguments
    try:
        program = find_module(arguments[0]) if is_module else find_script(arguments[0])
    except NoProgramError as error:
        sys.stderr.write(f"python -m penstock.as_ray: {error}\n")
        sys.exit(error.exit_code)
    run(program)


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(message)
    sys.exit(_WRONG_USAGE)
