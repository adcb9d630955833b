"""Conversations in chunks: files that many workers complete, each chunk once.

    python examples/conversation_chunks.py split FOLDER_OF_PARQUET chunks --count 200
    python examples/conversation_chunks.py share chunks/metadata.txt workers --workers 16

`split` makes the chunks and a metadata file that lists them, `share` deals the list out to the
workers of `complete_chunks.py`; `complete_conversations.py` needs no shares.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import penstock as ray

if TYPE_CHECKING:
    from collections.abc import Iterable

METADATA = "metadata.txt"


def split(source: Path, folder: Path, *, count: int) -> list[str]:
    """Cut the rows of Parquet files into `count` chunks of JSON lines; return the chunks' names.

    Their order is that of the rows, and their lengths differ by one at most. The metadata file
    comes last: where it is, all chunks are. What the folder held before is removed.
    """
    (folder / METADATA).unlink(missing_ok=True)
    rows = ray.data.read_parquet(str(source)).repartition(count)
    rows.write_json(str(folder), filename_provider=ChunkNames(), mode="overwrite")
    names = [ChunkNames.name(number) for number in range(len(list(folder.glob("*.jsonl"))))]
    save_whole(folder / METADATA, names)
    return names


class ChunkNames(ray.data.FilenameProvider):
    """Numbers the files of a write from 0, in the order of the rows."""

    @staticmethod
    def name(number: int) -> str:
        """Return the name of a chunk."""
        return f"part_{number}.jsonl"

    def get_filename_for_task(self, write_uuid: str, task_index: int) -> str:  # noqa: ARG002 - Ray's form
        """Return the name of the chunk that holds the rows of a part of the write."""
        return self.name(task_index)


def share(metadata: Path, folder: Path, *, workers: int) -> None:
    """Deal the chunks out to files `0.txt`, `1.txt` and so on; shares differ by one at most.

    Raises:
        FileExistsError: the folder is there, and may hold shares for another number of workers.

    """
    names = listed(metadata)
    folder.mkdir(parents=True)
    for worker in range(workers):
        save_whole(folder / f"{worker}.txt", names[worker::workers])


def listed(metadata: Path) -> list[str]:
    """Return the names of the chunks that a metadata file, or a worker's share of it, lists."""
    return metadata.read_text().split()


def first_turn(conversation: dict[str, Any]) -> str:
    """Return what a conversation begins with."""
    return str(conversation["conversation"][0]["content"])


class Results:
    """A folder with a file of results for each chunk, and a marker beside each that is done.

    Files come into it whole, so that a process may be killed at any moment: what is marked is
    there, and what is there is right.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def unfinished(self, chunks: Iterable[str]) -> list[str]:
        """Return those of the chunks that are still to do, in their order.

        One whose results are there was done by a process that died before it could mark it.
        """
        left = []
        for chunk in chunks:
            if self._marker(chunk).exists():
                continue
            if (self.folder / chunk).exists():
                save_whole(self._marker(chunk), [])
            else:
                left.append(chunk)
        return left

    def save(self, chunk: str, texts: Iterable[str]) -> None:
        """Save the results of a chunk, one for each of its rows, and mark it as done."""
        save_whole(self.folder / chunk, (json.dumps({"output": text}) for text in texts))
        save_whole(self._marker(chunk), [])

    def _marker(self, chunk: str) -> Path:
        return self.folder / f"{chunk}.succeed"


def save_whole(path: Path, lines: Iterable[str]) -> None:
    """Write a file that is there with all its lines, durably, or not at all."""
    hidden = path.with_name(f".{path.name}.tmp")
    with hidden.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)
        stream.flush()
        os.fsync(stream.fileno())
    hidden.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main(arguments: list[str]) -> None:
    """Split, or share out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    splitting = commands.add_parser("split", help="cut Parquet files into chunks")
    splitting.add_argument("source", type=Path)
    splitting.add_argument("folder", type=Path)
    splitting.add_argument("--count", type=int, default=200)
    sharing = commands.add_parser("share", help="deal the chunks out to workers")
    sharing.add_argument("metadata", type=Path)
    sharing.add_argument("folder", type=Path)
    sharing.add_argument("--workers", type=int, default=4)
    options = parser.parse_args(arguments)
    if options.command == "split":
        names = split(options.source, options.folder, count=options.count)
        print(f"{len(names)} chunks, listed in {options.folder / METADATA}")
    else:
        share(options.metadata, options.folder, workers=options.workers)
        print(f"{options.workers} shares in {options.folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
