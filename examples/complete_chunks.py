"""Completes its share of the chunks, one after another: one worker of several.

    for i in 0 1 2 3; do
        python examples/complete_chunks.py --share workers/$i.txt --chunks chunks --output done &
    done

Each of them is a process, or a machine, of its own. Started again after whatever ended it, it goes
on with the first chunk that is not done.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from conversation_chunks import Results, first_turn, listed
from generate_text import TextGenerator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Generate = Callable[[list[str]], list[str]]

_CHARACTERS_PER_BATCH_MAX = 2000


def batches(texts: Iterable[str], *, characters_max: int) -> Iterator[list[str]]:
    """Yield all texts in batches of so many characters; a longer text is a batch of its own."""
    batch: list[str] = []
    held = 0
    for text in texts:
        if batch and held + len(text) > characters_max:
            yield batch
            batch, held = [], 0
        batch.append(text)
        held += len(text)
    if batch:
        yield batch


def complete(chunks: Path, names: Iterable[str], results: Results, generate: Generate) -> None:
    """Complete the first turns of all chunks that are not done yet, and save them by chunk."""
    for name in results.unfinished(names):
        with (chunks / name).open(encoding="utf-8") as lines:
            texts = [first_turn(json.loads(line)) for line in lines]
        in_batches = batches(texts, characters_max=_CHARACTERS_PER_BATCH_MAX)
        results.save(name, [answer for batch in in_batches for answer in generate(batch)])
        print(f"{name}: {len(texts)} conversations", flush=True)


def main(arguments: list[str]) -> None:
    """Load the model and complete what is left of the share."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--share", type=Path, required=True, help="the list of the chunks to do")
    parser.add_argument("--chunks", type=Path, required=True, help="the folder that holds them")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a folder, or a name of the hub")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    generator = TextGenerator(options.model, options.device)

    def generate(texts: list[str]) -> list[str]:
        answers: list[str] = generator({"data": np.asarray(texts, dtype=object)})["output"]
        return answers

    complete(options.chunks, listed(options.share), Results(options.output), generate)


if __name__ == "__main__":
    main(sys.argv[1:])
