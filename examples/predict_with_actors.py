"""Scores Parquet files with a pool of actors, each of which holds the model.

    python examples/predict_with_actors.py --output scores --actors 4

A file goes to whichever actor is free; the actor writes the result itself.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import penstock as ray
from penstock.util.actor_pool import ActorPool
from trip_shards import load_model, predict_shard, save_trips

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trip_shards import Model


@ray.remote
class Predictor:
    """Scores files with a model that it is given once."""

    def __init__(self, model: Model, output: Path) -> None:
        self._model = model
        self._output = output

    def predict(self, shard: Path) -> int:
        """Score one file and return how many scores it has."""
        return predict_shard(self._model, shard, self._output)


def predict_all(shards: list[Path], output: Path, *, actors: int) -> Iterator[int]:
    """Score all files; yield how many scores each has, in the order of the files."""
    model = ray.put(load_model())
    made = [Predictor.remote(model, output) for _ in range(actors)]  # type: ignore[attr-defined]
    pool = ActorPool(made)
    for shard in shards:
        pool.submit(lambda actor, shard: actor.predict.remote(shard), shard)
    while pool.has_next():
        yield pool.get_next()


def main(arguments: list[str]) -> None:
    """Make the trips, score them, say how many scores each file has."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--actors", type=int, default=4)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in predict_all(save_trips(Path(folder)), options.output, actors=options.actors):
            print(f"{count} scores")


if __name__ == "__main__":
    main(sys.argv[1:])
