"""Scores rows with a Keras network, whichever backend Keras has: `KERAS_BACKEND` names it.

    KERAS_BACKEND=torch python examples/score_with_keras.py --rows 1000

Needs `pip install keras` beside a backend: torch, jax or tensorflow. Beside PyTorch it is a
download of 8 MB.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

import penstock as ray

if TYPE_CHECKING:
    from penstock.data import Dataset

    Batch = dict[str, np.ndarray[Any, Any]]

_FEATURES = 100


class KerasScorer:
    """Answers with the column `output`: one number between 0 and 1 a row."""

    def __init__(self) -> None:
        """Make a small network; `keras.models.load_model` would load a real one here."""
        import keras

        keras.utils.set_random_seed(0)  # So that all workers hold the same weights.
        self._network = keras.Sequential(
            [keras.Input(shape=(_FEATURES,)), keras.layers.Dense(1, activation="sigmoid")]
        )

    def __call__(self, batch: Batch) -> Batch:
        """Score the column `data`."""
        import keras

        return {"output": keras.ops.convert_to_numpy(self._network(batch["data"]))}


def scored(rows: Dataset, *, workers: int) -> Dataset:
    """Return the scores of the rows, in their order; each worker holds the network once."""
    pool = ray.data.ActorPoolStrategy(size=workers)
    return rows.map_batches(KerasScorer, compute=pool, batch_size=256)


def main(arguments: list[str]) -> None:
    """Score rows of ones and show one of the scores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    rows = ray.data.from_numpy(np.ones((options.rows, _FEATURES)))
    scored(rows, workers=options.workers).show(1)


if __name__ == "__main__":
    main(sys.argv[1:])
