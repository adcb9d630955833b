"""Scores a table with a model that the driver has trained: pandas batches, constructor arguments.

    python examples/score_tables.py

The rows are the breast cancer measurements that come with scikit-learn. The model travels to each
worker once, as an argument of the class that holds it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import penstock as ray

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from penstock.data import Dataset

_LABEL = "target"
_LIKELY = 0.5


class TableScorer:
    """Answers with the column `predictions`: how likely each row is of the second class."""

    def __init__(self, model: Any, *, digits: int) -> None:
        self._model = model
        self._digits = digits

    def __call__(self, frame: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
        """Score a batch, a DataFrame with the columns that the model was trained with."""
        return {"predictions": self._model.predict_proba(frame)[:, 1].round(self._digits)}


def save_measurements(path: Path) -> None:
    """Write scikit-learn's breast cancer measurements, with their label, as CSV."""
    from sklearn.datasets import load_breast_cancer

    load_breast_cancer(as_frame=True).frame.to_csv(path, index=False)


def trained(rows: Dataset) -> Any:
    """Return a classifier that has learned the label from all the other columns."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = rows.to_pandas()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(frame.drop(columns=_LABEL), frame[_LABEL])


def scored(rows: Dataset, model: Any, *, workers: int = 2) -> Dataset:
    """Return the scores of the rows, in their order."""
    return rows.map_batches(
        TableScorer,
        batch_format="pandas",
        fn_constructor_args=[model],
        fn_constructor_kwargs={"digits": 3},
        compute=ray.data.ActorPoolStrategy(size=workers),
    )


def accuracy(table: Path, *, workers: int = 2) -> tuple[float, int]:
    """Train on seven tenths of a table; return how often the model is right on the rest's rows."""
    train, test = ray.data.read_csv(str(table)).train_test_split(
        test_size=0.3, shuffle=True, seed=0
    )
    answers = scored(test.drop_columns([_LABEL]), trained(train), workers=workers).to_pandas()
    right = (answers["predictions"] > _LIKELY) == test.to_pandas()[_LABEL]
    return float(right.mean()), len(right)


def main(arguments: list[str]) -> None:
    """Train, score the rows that were kept back, and say how often the model was right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "measurements.csv"
        save_measurements(table)
        share, rows = accuracy(table, workers=options.workers)
    print(f"right for {share:.1%} of {rows} rows")


if __name__ == "__main__":
    main(sys.argv[1:])
