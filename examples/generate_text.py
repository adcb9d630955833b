"""Continues prompts with a Hugging Face pipeline, built once in each worker.

    python examples/generate_text.py "Complete this" "for me"
    python examples/generate_text.py --repeat 10000 --blocks 1000 --workers 20 "The weather"
    python examples/generate_text.py --gpus-per-worker 1 --batch-rows 64 "Language models"

Without `--model` it is a tiny one of random weights, made on the spot. What the machine does not
have (a GPU, five processors for each worker) is refused before anything starts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import penstock as ray

if TYPE_CHECKING:
    from penstock.data import Dataset

    Batch = dict[str, np.ndarray[Any, Any]]


class TextGenerator:
    """Adds to each batch the column `output`: the prompt of `data` and how it goes on."""

    def __init__(self, model: str, device: str) -> None:
        """Load `model`, a folder or a name of the hub, onto `device`."""
        from transformers import pipeline

        self._pipeline = pipeline("text-generation", model=model, device=device)

    def __call__(self, batch: Batch) -> dict[str, Any]:
        """Take the likeliest word each time, so that the same prompt goes on in the same way."""
        answers = self._pipeline(batch["data"].tolist(), max_new_tokens=12, do_sample=False)
        return {**batch, "output": [answer[0]["generated_text"] for answer in answers]}


def continued(prompts: Dataset, model: str, *, num_gpus: float = 0, **options: Any) -> Dataset:
    """Return the prompts with their continuations; `options` are those of `map_batches`."""
    arguments = {"model": model, "device": "cuda:0" if num_gpus else "cpu"}
    return prompts.map_batches(
        TextGenerator, fn_constructor_kwargs=arguments, num_gpus=num_gpus, **options
    )


def main(arguments: list[str]) -> None:
    """Continue the prompts and show the first of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prompts", nargs="+")
    parser.add_argument("--model", help="a folder, or a name of the Hugging Face hub")
    parser.add_argument("--repeat", type=int, default=1, help="give each prompt so many times")
    parser.add_argument("--blocks", type=int, help="cut the prompts into so many blocks")
    parser.add_argument("--batch-rows", type=int, help="rows that the model sees at once")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cpus-per-worker", type=float)
    parser.add_argument("--gpus-per-worker", type=float, default=0)
    parser.add_argument("--show", type=int, default=20, help="print so many rows")
    options = parser.parse_args(arguments)

    prompts: Dataset = ray.data.from_numpy(np.asarray(options.prompts * options.repeat))
    if options.blocks is not None:
        prompts = prompts.repartition(options.blocks)
    with tempfile.TemporaryDirectory() as folder:
        continued(
            prompts,
            options.model or _tiny_model(Path(folder)),
            num_gpus=options.gpus_per_worker,
            num_cpus=options.cpus_per_worker,
            batch_size=options.batch_rows,
            concurrency=options.workers,
        ).show(options.show)


def _tiny_model(folder: Path) -> str:
    from tiny_models import save_text_generator

    save_text_generator(folder)
    return str(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
