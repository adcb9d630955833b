"""The command line: `python -m penstock verify PATH`, `python -m penstock show PATH`."""

from __future__ import annotations

import argparse
import sys

from penstock import ledger, units


def main(arguments: list[str]) -> int:
    """Run a command; return 0 where all is well, 1 where something is wrong, 2 where it cannot say.

    `verify`: 0 also means that the job is done.
    """
    parser = argparse.ArgumentParser(prog="python -m penstock", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="read an output again, compare it with its ledger")
    show = commands.add_parser("show", help="print the ledger of an output")
    for command in (verify, show):
        command.add_argument("path", help="the folder that the job wrote to")
    options = parser.parse_args(arguments)
    try:
        return _verify(options.path) if options.command == "verify" else _show(options.path)
    except (OSError, ValueError, NotImplementedError) as error:
        print(error, file=sys.stderr)
        return 2


def _verify(path: str) -> int:
    found = ledger.verify(path)
    failed = f", and {found.rows_dead} that failed" if found.rows_dead else ""
    filtered = f", {found.rows_filtered} filtered" if found.rows_filtered else ""
    print(
        f"{found.files} files, {found.rows_out} rows, {units.bytes_text(found.bytes)}, "
        f"of {found.rows_in} rows read in {found.chunks} chunks{failed}{filtered}"
    )
    for problem in found.problems:
        print(f"wrong: {problem}")
    if not found.is_finished:
        print("not done: run the job again, it goes on from here")
    return 0 if found.is_finished and not found.problems else 1


def _show(path: str) -> int:
    for line in ledger.lines(path):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
