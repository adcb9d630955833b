"""What jobs keep on record beside their output, for people and scripts."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Verified(NamedTuple):
    """What was found of an output and its ledger.

    `rows_in` are the rows that were read, `rows_out` those written and `rows_dead` those left out
    as functions fail for them, `rows_filtered` those that filters have left out, of the chunks that
    are done: `rows_in = rows_out + rows_dead + rows_filtered`. None where nobody can tell, as a
    function may make several rows or none of one: `flat_map`, and `map_batches` that does not
    promise `udf_modifying_row_count=False`.
    `problems` are sentences, each naming a file or an entry; none: all is as it was written.
    """

    is_finished: bool
    chunks: int
    files: int
    bytes: int
    rows_in: int
    rows_out: int
    rows_dead: int
    rows_filtered: int | None
    problems: list[str]


def verify(path: str | os.PathLike[str]) -> Verified:
    """Read the output of a job in a local folder again and compare it with its ledger.

    Each file must be there with the bytes and the checksum (CRC-32C) that it was written with, the
    entries must follow each other and add up, and no file may lie there that is not on record.

    Raises:
        FileNotFoundError: no job has kept a ledger there.
        CorruptDataError: an entry of the ledger is damaged or missing; the message names it.
        OSError: the folder cannot be read.

    """
    found = _core.verify_output(os.fspath(path))
    return Verified(
        found.is_finished,
        found.chunks,
        found.files,
        found.bytes,
        found.rows_in,
        found.rows_out,
        found.rows_dead,
        found.rows_filtered,
        found.problems,
    )


def entries(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return the ledger of the job in a local folder, as src/penstock/ledger/commit.h has it.

    Raises:
        FileNotFoundError: no job has kept a ledger there.
        CorruptDataError: an entry of the ledger is damaged or missing; the message names it.

    """
    found = [json.loads(text) for text in _core.ledger_entries(os.fspath(path))]
    if not found:
        raise FileNotFoundError(f"There is no ledger of a job here; got: {os.fspath(path)}")
    return found


def dead_rows(log: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return the files of dead letters, by name, that entries have put on record, and their rows.

    Files whose rows were run again are left out.
    """
    rows: dict[str, int] = {}
    for entry in log:
        for file in entry["taken"]:
            del rows[file["name"]]
        rows |= {file["name"]: file["rows"] for file in entry["letters"]}
    return rows


def rows_of(files: Iterable[dict[str, Any]]) -> int:
    """Return how many rows files of an entry have."""
    return sum(file["rows"] for file in files)


def lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the ledger of the job in a local folder for people, a line an entry.

    Raises:
        FileNotFoundError: no job has kept a ledger there.
        CorruptDataError: an entry of the ledger is damaged or missing; the message names it.

    """
    for entry in entries(path):
        yield _line(entry)


def _line(entry: dict[str, Any]) -> str:
    number, kind = entry["number"], entry["kind"]
    if kind == "begin":
        parts = ", ".join(sorted(entry["identity"]))
        return f"{number:>6}  run {entry['epoch']} begins ({entry['writer']}): {parts}"
    if kind == "retry":
        return f"{number:>6}  run {entry['epoch']} begins to retry dead rows ({entry['writer']})"
    chunks = sum(last - first + 1 for first, last in entry["chunks"])
    done = f"{chunks} chunks, {len(entry['files'])} files, {rows_of(entry['files'])} rows"
    if entry["taken"]:
        done = f"{rows_of(entry['taken'])} dead rows retried, {done}"
    if entry["letters"]:
        done += f", {rows_of(entry['letters'])} rows failed"
    total = f"{entry['files_done']} files, {entry['rows']['out']} rows by now"
    if entry["rows"].get("filtered"):
        total += f", {entry['rows']['filtered']} filtered"
    ends = "; the job is done" if kind == "end" else ""
    return f"{number:>6}  {done} ({total}){ends}"
