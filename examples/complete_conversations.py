"""Completes all chunks as one Penstock job: no shares, and no loop over files.

    python examples/complete_conversations.py --chunks chunks --output done --workers 4

Workers take batches from wherever the job is, so none is idle while another has chunks left. Rows
come back in the order of the input: a chunk is done when its last row has come. Killed and
started again, the job goes on with the first chunk that is not done.
"""

from __future__ import annotations

import argparse
import itertools
import operator
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import penstock as ray
from conversation_chunks import METADATA, Results, first_turn, listed
from generate_text import continued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.data import Dataset

    Generate = Callable[[Dataset], Dataset]


def prompts(chunks: Path, names: Iterable[str]) -> Dataset:
    """Return the first turns of the chunks' conversations: the columns `path` and `data`."""
    paths = [str(chunks / name) for name in names]
    conversations = ray.data.read_json(paths, lines=True, include_paths=True)
    return conversations.map(lambda row: {"path": row["path"], "data": first_turn(row)})


def complete(chunks: Path, results: Results, generate: Generate) -> None:
    """Complete all chunks that are not done yet; `generate` adds the column `output` to rows."""
    names = results.unfinished(listed(chunks / METADATA))
    if not names:
        return
    rows = generate(prompts(chunks, names)).iter_rows()
    groups = itertools.groupby(rows, key=operator.itemgetter("path"))
    path, group = next(groups, ("", iter(())))
    for name in names:
        if Path(path).name != name:  # A chunk without rows.
            results.save(name, [])
            continue
        results.save(name, (row["output"] for row in group))
        print(name, flush=True)
        path, group = next(groups, ("", iter(())))


def main(arguments: list[str]) -> None:
    """Run the job, or what is left of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chunks", type=Path, required=True, help="the folder that holds them")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a folder, or a name of the hub")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--batch-rows", type=int, default=32)
    parser.add_argument("--gpus-per-worker", type=float, default=0)
    options = parser.parse_args(arguments)

    def generate(rows: Dataset) -> Dataset:
        arguments: dict[str, Any] = {
            "num_gpus": options.gpus_per_worker,
            "batch_size": options.batch_rows,
            "concurrency": options.workers,
        }
        return continued(rows, options.model, **arguments)

    complete(options.chunks, Results(options.output), generate)


if __name__ == "__main__":
    main(sys.argv[1:])
