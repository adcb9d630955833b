"""Trains XGBoost in two workers and scores the rows that were kept back with its checkpoint.

    python examples/train_and_score.py --rounds 20

The rows are the breast cancer measurements that come with scikit-learn. The checkpoint travels to
the workers that score as an argument of their class.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import penstock as ray
from penstock.train import RunConfig, ScalingConfig
from penstock.train.xgboost import XGBoostTrainer
from score_tables import save_measurements

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from penstock.data import Dataset
    from penstock.train import Checkpoint, Result

_LABEL = "target"


class BoosterScorer:
    """Answers with the column `predictions`: how likely each row is of the second class."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Load the model from the checkpoint's folder."""
        self._model = XGBoostTrainer.get_model(checkpoint)

    def __call__(self, frame: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
        """Score a batch, a DataFrame with the columns that the model was trained with."""
        import xgboost

        return {"predictions": self._model.predict(xgboost.DMatrix(frame))}


def trained(train: Dataset, valid: Dataset, *, rounds: int, folder: Path) -> Result:
    """Train in two workers, each with half of the rows; keep the result in `folder`."""
    trainer = XGBoostTrainer(
        scaling_config=ScalingConfig(num_workers=2, use_gpu=False),
        run_config=RunConfig(name="train_and_score", storage_path=str(folder)),
        label_column=_LABEL,
        num_boost_round=rounds,
        params={"objective": "binary:logistic", "eval_metric": ["logloss", "error"]},
        datasets={"train": train, "valid": valid},
    )
    return trainer.fit()


def scored(rows: Dataset, checkpoint: Checkpoint) -> Dataset:
    """Return the scores of the rows, in their order."""
    return rows.map_batches(
        BoosterScorer,
        batch_format="pandas",
        fn_constructor_kwargs={"checkpoint": checkpoint},
        compute=ray.data.ActorPoolStrategy(size=2),
    )


def main(arguments: list[str]) -> None:
    """Train, score, and say how often the model was right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_measurements(folder / "measurements.csv")
        rows = ray.data.read_csv(str(folder / "measurements.csv"))
        train, valid = rows.train_test_split(test_size=0.3)
        result = trained(train, valid, rounds=options.rounds, folder=folder)
        if result.checkpoint is None or result.metrics is None:
            raise RuntimeError("the training has left no checkpoint")
        scores = scored(valid.drop_columns([_LABEL]), result.checkpoint)
        answers = scores.to_pandas()["predictions"].round()
    share = (answers == valid.to_pandas()[_LABEL]).mean()
    print(
        f"loss {result.metrics['valid-logloss']:.3f}, right for {share:.1%} of {len(answers)} rows"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
