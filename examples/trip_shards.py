"""Taxi trips in Parquet files, one a month, and a model for them: what two examples share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Model = Callable[[pd.DataFrame], pd.DataFrame]

MONTHS = 12


def load_model(*, weights: int = 1_000_000) -> Model:
    """Return a model of so many numbers, which would be loaded from a file if it were real."""
    held = np.linspace(0, 1, weights)

    def model(trips: pd.DataFrame) -> pd.DataFrame:
        passengers = trips["passenger_count"]
        return pd.DataFrame({"score": passengers % 2 == 0, "weight": held[passengers]})

    return model


def save_trips(folder: Path, *, rows: int = 1000) -> list[Path]:
    """Write a file of trips for each month, each longer than the one before; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{month:02d}.parquet" for month in range(MONTHS)]
    for month, file in enumerate(files):
        numbers = np.random.default_rng(month)
        trips = rows + month
        columns: dict[str, Any] = {
            "passenger_count": numbers.integers(1, 7, trips),
            "trip_distance": numbers.gamma(2, 2, trips).round(1),
        }
        pq.write_table(pa.table(columns), file)
    return files


def predict_shard(model: Model, shard: Path, output: Path) -> int:
    """Score a file, write the scores to a file of its name in `output`, return how many they are.

    The scores stay where they are made: what goes back to the driver is a number.
    """
    scores = model(pq.read_table(shard).to_pandas())
    hidden = output / f".{shard.name}.tmp"
    pq.write_table(pa.Table.from_pandas(scores, preserve_index=False), hidden)
    hidden.replace(output / shard.name)
    return len(scores)
