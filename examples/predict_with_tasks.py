"""Scores Parquet files with a task for each; all tasks share one copy of the model.

    python examples/predict_with_tasks.py --output scores

The model is put into shared memory once, and each task is given the reference. A task writes its
own result. Where a file needs much memory, `--memory-per-task` says how much, so that no more tasks
run side by side than fit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import penstock as ray
from trip_shards import load_model, predict_shard, save_trips

if TYPE_CHECKING:
    from trip_shards import Model


@ray.remote
def predict(model: Model, shard: Path, output: Path) -> int:
    """Score one file; Penstock has put the model in the place of its reference."""
    return predict_shard(model, shard, output)


def predict_all(
    shards: list[Path], output: Path, *, memory: float | None = None, num_gpus: float = 0
) -> list[int]:
    """Score all files; return how many scores each has, in the order of the files."""
    model = ray.put(load_model())
    task = predict.options(memory=memory, num_gpus=num_gpus)
    counts: list[int] = ray.get([task.remote(model, shard, output) for shard in shards])
    return counts


def main(arguments: list[str]) -> None:
    """Make the trips, score them, say how many scores each file has."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--memory-per-task", type=float, help="bytes")
    parser.add_argument("--gpus-per-task", type=float, default=0)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in predict_all(
            save_trips(Path(folder)),
            options.output,
            memory=options.memory_per_task,
            num_gpus=options.gpus_per_task,
        ):
            print(f"{count} scores")


if __name__ == "__main__":
    main(sys.argv[1:])
