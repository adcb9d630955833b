"""A script as users of Ray write it: train on one part of a table, predict the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("xgboost")
datasets = pytest.importorskip("sklearn.datasets")

if TYPE_CHECKING:
    from pathlib import Path

_ENDS_WITHIN_S = 300  # Six processes import XGBoost.
SCRIPT = """
import penstock as ray
from penstock.train import ScalingConfig
from penstock.train.xgboost import XGBoostTrainer

table = ray.data.read_csv({table!r})
known, rest = table.train_test_split(test_size=0.3)
trainer = XGBoostTrainer(
    scaling_config=ScalingConfig(num_workers=2, use_gpu=False),
    label_column="target",
    num_boost_round=20,
    params={{"objective": "binary:logistic", "eval_metric": ["logloss", "error"]}},
    datasets={{"train": known, "valid": rest}},
)
result = trainer.fit()
checkpoint = result.checkpoint
print(sorted(result.metrics))

import numpy as np
import pandas as pd
import xgboost
from penstock.train import Checkpoint

class Model:
    def __init__(self, checkpoint: Checkpoint):
        self.booster = XGBoostTrainer.get_model(checkpoint)

    def __call__(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        return {{"predictions": self.booster.predict(xgboost.DMatrix(rows))}}

predicted = rest.drop_columns(["target"]).map_batches(
    Model,
    compute=ray.data.ActorPoolStrategy(size=2),
    batch_format="pandas",
    fn_constructor_kwargs={{"checkpoint": checkpoint}},
)
predicted.show(limit=1)
truth = np.array([row["target"] for row in rest.take_all()])
found = np.array([row["predictions"] for row in predicted.take_all()])
print(((found > 0.5) == truth).mean())
"""


def test_a_table_is_trained_on_and_predicted(tmp_path: Path, start_script, monkeypatch):
    table = tmp_path / "breast_cancer.csv"
    datasets.load_breast_cancer(as_frame=True).frame.to_csv(table, index=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with start_script(SCRIPT.format(table=str(table))) as process:
        out, err = process.communicate(timeout=_ENDS_WITHIN_S)
    assert process.returncode == 0, err
    names, first, accuracy = [line for line in out.splitlines() if line[:1] in "[{0"]
    assert names == "['train-error', 'train-logloss', 'valid-error', 'valid-logloss']"
    assert first.startswith("{'predictions': ")
    assert float(accuracy) > 0.9
    assert list((tmp_path / "penstock_results").glob("XGBoostTrainer_*/checkpoint_*/model.ubj"))
