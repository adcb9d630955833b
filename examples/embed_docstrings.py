"""Embeds the docstrings of the Python standard library and answers a question from them.

    python examples/embed_docstrings.py --question "parse command line options"

Two worker processes each load the real MiniLM model once; the embeddings are written as Parquet,
read back, and searched.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import penstock
from docstrings import Docstring, collect
from minilm import BATCH_ROWS, MiniLM

_DEFAULT_OUTPUT = Path(__file__).resolve().parent.parent / "build" / "demo"
_HITS = 8


@dataclass(frozen=True)
class Hit:
    """An answer: whose docstring it is, what it says and how near it is, from -1 to 1."""

    name: str
    text: str
    score: float


def embed(docstrings: list[Docstring], folder: Path) -> str:
    """Write the docstrings with their embeddings to `folder` and return where the time went."""
    rows = [docstring._asdict() for docstring in docstrings]
    embedded = penstock.data.from_items(rows).map_batches(
        MiniLM, batch_size=BATCH_ROWS, concurrency=2
    )
    embedded.write_parquet(str(folder))
    return str(embedded.stats())


def search(question: str, folder: Path) -> list[Hit]:
    """Return the docstrings of `folder` whose meaning is nearest to the question's."""
    query = MiniLM()({"text": np.array([question], dtype=object)})["embedding"][0]
    hits: list[Hit] = []
    for batch in penstock.data.read_parquet(str(folder)).iter_batches(batch_size=1024):
        scores = np.stack(list(batch["embedding"])) @ query
        for row in np.argsort(-scores)[:_HITS]:
            name, text = str(batch["name"][row]), str(batch["text"][row])
            hits.append(Hit(name, text, round(float(scores[row]), 3)))
    return sorted(hits, key=lambda hit: -hit.score)[:_HITS]


def main(arguments: list[str]) -> None:
    """Collect, embed, write, read back, answer; then say how long it took, and on what."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=_DEFAULT_OUTPUT, help="folder to write to")
    parser.add_argument("--limit", type=int, help="embed only so many docstrings")
    parser.add_argument("--question", default="parse command line options")
    options = parser.parse_args(arguments)
    embeddings = options.output / "embeddings"
    shutil.rmtree(embeddings, ignore_errors=True)  # Of an earlier run.

    docstrings = collect(limit=options.limit)
    print(f"Embedding {len(docstrings):,} docstrings of the standard library with MiniLM")
    start = time.perf_counter()
    where_the_time_went = embed(docstrings, embeddings)
    seconds = time.perf_counter() - start

    hits = search(options.question, embeddings)
    answer = {"question": options.question, "hits": [asdict(hit) for hit in hits]}
    (options.output / "answer.json").write_text(json.dumps(answer, indent=2) + "\n")
    print(f"\nWhich docstrings come nearest to: {options.question}?")
    for hit in hits:
        print(f"  {hit.score:.3f}  {hit.name}: {_shortened(hit.text)}")

    print(f"\nWhere the time went:\n{where_the_time_went.rstrip()}")
    rate = len(docstrings) / seconds
    print(f"\n{len(docstrings):,} rows in {seconds:.1f} s, {rate:.0f} rows/s")
    print(f"The embeddings are in {embeddings}")


def _shortened(text: str, *, length: int = 70) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


if __name__ == "__main__":
    main(sys.argv[1:])
